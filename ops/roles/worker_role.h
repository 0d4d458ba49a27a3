#pragma once
#include "ops/roles/loop.h"
#include "ops/roles/loop_model.h"
#include "ops/roles/services.h"
#include "producer/ingress/health_routes.h"
#include "shared/http/server.h"
#include "workers/pool/worker.h"
#include "workers/webhooks/webhook_sender.h"

namespace millrace {

/// What the loops of one worker process share; outlives them.
struct WorkerShared {
  const Config& config;
  Services& services;
  std::vector<const prometheus::Collectable*> metrics;
  QuietRoom& room;
  WorkerCounts& counts;
  WebhookCounts& webhook_counts;
  DeliveryNews& deliveries;
  const outbound::Guard& guard;
};

/// One loop of a worker process.
class WorkerRole final : public Role {
 public:
  /// `number`: of this loop among its process's; the first also serves /metrics where a port
  /// is configured.
  WorkerRole(Loop& loop, WorkerShared& shared, std::uint32_t number);

  Task<> run() override;
  void drain() override;

 private:
  void make_sender();
  Task<> work();

  Loop& loop_;
  WorkerShared& shared_;
  const std::uint32_t number_;
  std::unique_ptr<JobQueue> queue_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Sessions> sessions_;
  std::unique_ptr<LoopLog> log_;
  std::unique_ptr<LoopObjects> objects_;
  LargeInputs inputs_;
  LoopModel model_;
  Worker worker_;
  std::unique_ptr<Webhooks> outbox_;
  std::optional<WebhookSender> sender_;  ///< of the first loop, for all
  HealthRoutes health_routes_;
  http::Router router_;
  std::optional<http::Server> server_;
  Nursery nursery_;
};

}  // namespace millrace
