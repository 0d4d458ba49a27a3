#pragma once
#include <atomic>

#include "ops/data/data_folder.h"
#include "ops/data/folder_watch.h"
#include "ops/roles/directory_objects.h"
#include "ops/roles/services.h"
#include "shared/disk/segment_log.h"
#include "shared/local/local_cache.h"
#include "shared/runtime/config.h"
#include "shared/runtime/random.h"
#include "shared/sqlite/sqlite_dead_letters.h"
#include "shared/sqlite/sqlite_job_queue.h"
#include "shared/sqlite/sqlite_store.h"

namespace millrace {

/// One process and a folder, nothing beside it: queue and Store in a SQLite file, events in
/// segments.
class EmbeddedServices final : public Services {
 public:
  /// Throws std::runtime_error with what is wrong and what to do when the folder cannot be used
  /// or belongs to another process.
  EmbeddedServices(const Config& config, Random& random);

  std::unique_ptr<JobQueue> queue(Clock& clock) override { return queue_.port(clock); }
  std::unique_ptr<JobQueue> taking_queue(Clock& clock) override {
    return queue_.taking_port(clock);
  }
  std::unique_ptr<LoopLog> log(Clock& clock) override;
  std::unique_ptr<Store> store(Clock& clock) override { return store_.port(clock); }
  std::unique_ptr<Sessions> sessions(Clock& clock) override {
    return store_.sessions(clock, sessions_kept_);
  }
  std::unique_ptr<ApiKeys> api_keys(Clock& clock) override { return store_.api_keys(clock); }
  std::unique_ptr<LoopCache> cache(Clock& clock) override;
  std::unique_ptr<Webhooks> webhooks(Clock& clock) override { return store_.webhooks(clock); }
  std::unique_ptr<LoopObjects> objects(Clock& clock) override { return objects_.on(clock); }
  std::unique_ptr<DeadLetters> dead_letters(Clock& clock) override {
    return std::make_unique<SqliteDeadLetters>(store_, clock);
  }
  Task<> remove_old_jobs(Clock& clock) override { return store_.remove_old_jobs(clock, jobs_ttl_); }
  Task<> remove_old_sessions(Clock& clock) override {
    return store_.remove_old_sessions(clock, sessions_kept_);
  }
  const LinkSigner& link_signer() const override { return link_signer_; }
  std::string trouble() const override {
    return watch_.standing() ? std::string() : watch_.trouble();
  }
  bool queue_ready() const override { return store_.healthy(); }
  std::optional<QueueLag> queue_lag(Instant now) const override { return queue_.lag(now); }
  void stop_taking() override {}  // it waits here for the next start
  void export_counts(CountsExport& to) const override;

 private:
  const Duration jobs_ttl_;
  const Duration sessions_kept_;
  DataFolder folder_;
  LinkSigner link_signer_;
  disk::SegmentLog log_;
  SqliteStore store_;
  LocalCache cache_;
  DirectoryObjects objects_;
  SqliteJobQueue queue_;
  FolderWatch watch_;
  std::atomic<bool> looked_after_ = false;  ///< the log, by one of the loops
};

}  // namespace millrace
