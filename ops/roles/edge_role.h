#pragma once
#include <functional>
#include <string>

#include "ops/roles/loop.h"
#include "ops/roles/services.h"
#include "producer/access/edge_gate.h"
#include "producer/conversations/chat_routes.h"
#include "producer/conversations/session_routes.h"
#include "producer/docs/docs_routes.h"
#include "producer/ingress/dead_letter_routes.h"
#include "producer/ingress/health_routes.h"
#include "producer/ingress/job_eraser.h"
#include "producer/ingress/jobs_routes.h"
#include "producer/ingress/queue_routes.h"
#include "producer/objects/object_routes.h"
#include "producer/openai/chat_routes.h"
#include "producer/openai/models_routes.h"
#include "producer/openai/response_routes.h"
#include "producer/relay/relay_routes.h"
#include "producer/web/page_routes.h"
#include "producer/webhooks/webhook_routes.h"
#include "shared/cached_sessions.h"
#include "shared/http/server.h"
#include "shared/outbound/guard.h"
#include "shared/runtime/config.h"

namespace millrace {

/// What the loops of one edge share; outlives them.
struct EdgeShared {
  const Config& config;
  Services& services;
  std::vector<const prometheus::Collectable*> metrics;
  IngressMetrics& ingress_metrics;
  access::GateMetrics& gate_metrics;
  relay::RelayMetrics& relay_metrics;
  relay::SignedUrls urls;
  const conversations::ModelProbe& model;
  outbound::Guard guard;
  std::function<void(const std::string& url)> on_listening{};  ///< called by each loop
};

/// One loop of an edge: ingress and relay behind one HTTP server, all on the same port.
class EdgeRole final : public Role {
 public:
  EdgeRole(Loop& loop, EdgeShared& shared);

  Task<> run() override;
  void drain() override;

 private:
  Task<> serve();

  Loop& loop_;
  EdgeShared& shared_;
  std::unique_ptr<JobQueue> queue_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<LoopLog> log_;
  std::unique_ptr<LoopObjects> objects_;
  std::unique_ptr<LoopCache> cache_;
  CachedSessions sessions_;
  std::unique_ptr<ApiKeys> api_keys_;
  access::KeyBook key_book_;
  access::RateLimiter limiter_;
  access::EdgeGate gate_;
  relay::Hub hub_;
  relay::RelayRoutes relay_routes_;
  JobEnder ender_;
  JobLookup lookup_;
  Cancel cancel_;
  JobEraser eraser_;
  TenantQuota quota_;
  Interrupt interrupt_;
  Submit submit_;
  JobsRoutes jobs_routes_;
  ObjectRoutes object_routes_;
  openai::ChatRoutes chat_routes_;
  openai::ResponseRoutes response_routes_;
  openai::ModelsRoutes models_routes_;
  conversations::SessionRoutes session_routes_;
  conversations::Turns turns_;
  conversations::ChatRoutes message_routes_;
  HealthRoutes health_routes_;
  std::unique_ptr<DeadLetters> letters_;
  Redrive redrive_;
  DeadLetterRoutes letter_routes_;
  QueueRoutes queue_routes_;
  std::unique_ptr<Webhooks> outbox_;
  WebhookRoutes webhook_routes_;
  web::PageRoutes page_routes_;
  docs::DocsRoutes docs_routes_;
  http::Router router_;
  http::Server server_;
  Nursery nursery_;
};

}  // namespace millrace
