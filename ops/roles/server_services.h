#pragma once
#include <optional>

#include "ops/roles/chosen_store.h"
#include "ops/roles/directory_objects.h"
#include "ops/roles/services.h"
#include "shared/cached_sessions.h"
#include "shared/kafka/kafka_queue.h"
#include "shared/runtime/config.h"
#include "shared/runtime/random.h"

namespace millrace {

/// Kafka and Redis, and the Store: a Postgres, or a file on this host.
class ServerServices final : public Services {
 public:
  /// What this process does with the queue. An edge asks it how full it is; a worker has a place
  /// in the group for each of its loops.
  struct Uses {
    bool edge = false;
    bool worker = false;
  };
  /// Throws std::invalid_argument when a server is not named, std::runtime_error when the Store
  /// cannot be used.
  ServerServices(const Config& config, Random& random, Uses uses);

  std::unique_ptr<JobQueue> queue(Clock& clock) override { return edge_queue_->port(clock); }
  std::unique_ptr<JobQueue> taking_queue(Clock& clock) override {
    return worker_queue_->port(clock);
  }
  std::unique_ptr<LoopLog> log(Clock& clock) override;
  std::unique_ptr<Store> store(Clock& clock) override { return store_->port(clock); }
  std::unique_ptr<Sessions> sessions(Clock& clock) override {
    return store_->sessions(clock, CachedSessions::kept_for(config_.session_timeout));
  }
  std::unique_ptr<ApiKeys> api_keys(Clock& clock) override { return store_->api_keys(clock); }
  std::unique_ptr<LoopCache> cache(Clock& clock) override;
  std::unique_ptr<Webhooks> webhooks(Clock& clock) override { return store_->webhooks(clock); }
  std::unique_ptr<LoopObjects> objects(Clock& clock) override { return objects_.on(clock); }
  std::unique_ptr<DeadLetters> dead_letters(Clock&) override { return nullptr; }
  Task<> remove_old_jobs(Clock& clock) override {
    return store_->remove_old_jobs(clock, config_.jobs_ttl);
  }
  Task<> remove_old_sessions(Clock& clock) override {
    return store_->remove_old_sessions(clock, CachedSessions::kept_for(config_.session_timeout));
  }
  const LinkSigner& link_signer() const override { return link_signer_; }
  bool queue_ready() const override;
  std::optional<QueueLag> queue_lag(Instant) const override {
    return edge_queue_ ? edge_queue_->lag_of_all() : std::nullopt;
  }
  void stop_taking() override;
  void export_counts(CountsExport& to) const override;

 private:
  const Config& config_;
  const LinkSigner link_signer_;
  std::optional<KafkaQueue> edge_queue_;
  std::optional<KafkaQueue> worker_queue_;
  const std::unique_ptr<ChosenStore> store_;
  DirectoryObjects objects_;
};

}  // namespace millrace
