#include "ops/roles/embedded_services.h"

#include "shared/cached_sessions.h"
#include "shared/disk/segment_event_log.h"
#include "shared/runtime/loop_clock.h"
#include "shared/sqlite/database_url.h"
#include "shared/sqlite/job_taker.h"

namespace millrace {
namespace {

class LoopSegments final : public LoopLog {
 public:
  LoopSegments(Clock& clock, disk::SegmentLog& all, bool looks_after)
      : clock_(clock), all_(all), looks_after_(looks_after), log_(clock, all) {}

  EventLog& log() override { return log_; }
  Task<> run() override {
    if (looks_after_) co_await all_.run(clock_);
  }

 private:
  Clock& clock_;
  disk::SegmentLog& all_;
  const bool looks_after_;
  SegmentEventLog log_;
};

class LoopLocalCache final : public LoopCache {
 public:
  explicit LoopLocalCache(std::unique_ptr<SharedCache> cache) : cache_(std::move(cache)) {}

  SharedCache& cache() override { return *cache_; }
  Task<> run() override { co_return; }

 private:
  std::unique_ptr<SharedCache> cache_;
};

WallTime now() {
  asio::io_context unused(1);
  return LoopClock(unused).wall();
}

disk::SegmentLog::Options log_options(const Config& config, const DataFolder& folder) {
  disk::SegmentLog::Options options;
  options.folder = folder.events();
  options.events_ttl = config.events_ttl;
  return options;
}

}  // namespace

EmbeddedServices::EmbeddedServices(const Config& config, Random& random)
    : jobs_ttl_(config.jobs_ttl),
      sessions_kept_(CachedSessions::kept_for(config.session_timeout)),
      folder_(config.data),
      link_signer_(config.secret.empty() ? folder_.secret(random) : config.secret),
      log_(log_options(config, folder_), now()),
      store_(config.database_url, random, config.model_prices),
      objects_(config, link_signer_),
      queue_(store_, {config.worker_threads, config.jobs_in_flight}),
      watch_(config.data,
             {folder_.lock(), folder_.events(), sqlite_path(config.database_url).value()}) {}

std::unique_ptr<LoopLog> EmbeddedServices::log(Clock& clock) {
  return std::make_unique<LoopSegments>(clock, log_, !looked_after_.exchange(true));
}

std::unique_ptr<LoopCache> EmbeddedServices::cache(Clock& clock) {
  return std::make_unique<LoopLocalCache>(cache_.port(clock));
}

void EmbeddedServices::export_counts(CountsExport& to) const {
  to.gauge("millrace_queue_waiting", "Jobs queued and not finished",
           [this] { return static_cast<double>(queue_.waiting()); });
  const auto& counts = queue_.counts();
  to.gauge("millrace_queue_held_bytes", "Of jobs that wait in memory", reading(counts.held_bytes));
  to.counter("millrace_queue_delivered_total", "Deliveries to workers", reading(counts.delivered));
  to.counter("millrace_queue_dead_total", "Dead letters written", reading(counts.dead));
  to.counter("millrace_store_commits_total", "Transactions committed",
             [this] { return static_cast<double>(store_.written().commits); });
  to.counter("millrace_store_rows_total", "Calls they carried",
             [this] { return static_cast<double>(store_.written().rows); });
}

}  // namespace millrace
