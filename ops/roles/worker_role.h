#pragma once
#include "ops/roles/counts_export.h"
#include "ops/roles/loop.h"
#include "producer/ingress/health_routes.h"
#include "shared/http/server.h"
#include "shared/kafka/kafka_queue.h"
#include "shared/redis/event_log.h"
#include "shared/sqlite/sqlite_store.h"
#include "workers/llm/openai_model.h"
#include "workers/pool/worker.h"

namespace millrace {

/// What the loops of one worker process share; outlives them.
struct WorkerShared {
  const Config& config;
  KafkaQueue& queue;
  SqliteStore& store;
  std::vector<const prometheus::Collectable*> metrics;
  QuietRoom& room;
  WorkerCounts& counts;
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
  Task<> work();

  Loop& loop_;
  WorkerShared& shared_;
  std::unique_ptr<JobQueue> queue_;
  std::unique_ptr<Store> store_;
  RedisEventLog log_;
  OpenAiModel model_;
  Worker worker_;
  HealthRoutes health_routes_;
  http::Router router_;
  std::optional<http::Server> server_;
  Nursery nursery_;
};

}  // namespace millrace
