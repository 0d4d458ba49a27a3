#include "ops/roles/worker_role.h"

#include <unistd.h>

#include <array>
#include <cstdio>

#include "ops/roles/store_claim.h"

namespace millrace {
namespace {

std::string host_name() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

/// Unique to this run of this loop: a restarted process must not hear its predecessor's mail.
std::string worker_name(std::uint32_t number, Random& random) {
  return host_name() + "-" + std::to_string(getpid()) + "-" + std::to_string(number) + "-" +
         new_token(random).str().substr(0, 8);
}

WorkerSettings worker_settings(const Config& config, std::uint32_t number, Random& random) {
  WorkerSettings settings;
  settings.name = worker_name(number, random);
  settings.jobs_in_flight = std::max(1u, config.jobs_in_flight / config.worker_threads);
  settings.job_attempts = config.job_attempts;
  settings.llm_continue = config.llm_continue;
  settings.drain_grace = config.drain_grace;
  return settings;
}

}  // namespace

WorkerRole::WorkerRole(Loop& loop, WorkerShared& shared, std::uint32_t number)
    : loop_(loop),
      shared_(shared),
      number_(number),
      queue_(shared.services.taking_queue(loop.clock)),
      store_(shared.services.store(loop.clock)),
      sessions_(shared.services.sessions(loop.clock)),
      log_(shared.services.log(loop.clock)),
      objects_(shared.services.objects(loop.clock)),
      inputs_(objects_->objects(), loop.clock),
      model_(loop, shared.config),
      worker_({*queue_, log_->log(), *store_, *sessions_, model_.model(), inputs_, loop.clock,
               loop.random, shared.room, shared.counts,
               worker_settings(shared.config, number, loop.random),
               [&deliveries = shared.deliveries] { deliveries.tell(); }}),
      health_routes_({[&shared] { return shared.services.queue_ready(); }, log_->log(), *store_,
                      shared.metrics}),
      nursery_(loop.clock) {
  if (number == 0) make_sender();
  if (number != 0 || shared.config.worker_port == 0) return;
  http::ServerOptions options;
  options.host = shared.config.host;
  options.port = shared.config.worker_port;
  http::require_free(options.host, options.port);
  health_routes_.add_to(router_);
  server_.emplace(loop.clock, loop.random, router_, options);
}

void WorkerRole::make_sender() {
  outbox_ = shared_.services.webhooks(loop_.clock);
  sender_.emplace(WebhookSender::Parts{.outbox = *outbox_,
                                       .store = *store_,
                                       .clock = loop_.clock,
                                       .random = loop_.random,
                                       .counts = shared_.webhook_counts,
                                       .guard = shared_.guard,
                                       .news = shared_.deliveries,
                                       .timeout = shared_.config.webhook_timeout});
}

Task<> WorkerRole::run() {
  nursery_.start(log_->run());
  nursery_.start(objects_->run());
  if (server_) {
    server_->listen();
    std::printf("listening on http://%s:%u\n", shared_.config.host.c_str(), server_->port());
    std::fflush(stdout);
    nursery_.start(server_->run());
  }
  if (number_ == 0) {
    nursery_.start(shared_.services.remove_old_jobs(loop_.clock));
    nursery_.start(shared_.services.remove_old_sessions(loop_.clock));
    nursery_.start(sender_->run());
  }
  nursery_.start(model_.run());
  nursery_.start(work());
  co_await nursery_.join();
}

Task<> WorkerRole::work() {
  co_await claim_store(log_->log(), *store_, loop_.clock);
  nursery_.start(hold_store_claim(log_->log(), *store_, loop_.clock));
  co_await worker_.run();
  nursery_.stop();
}

void WorkerRole::drain() {
  shared_.services.stop_taking();
  worker_.drain();
}

}  // namespace millrace
