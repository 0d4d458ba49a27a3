#pragma once
#include <memory>
#include <optional>
#include <string>

#include "ops/roles/counts_export.h"
#include "shared/api_keys.h"
#include "shared/dead_letters.h"
#include "shared/event_log.h"
#include "shared/job_queue.h"
#include "shared/object_store.h"
#include "shared/runtime/clock.h"
#include "shared/runtime/link_signer.h"
#include "shared/sessions.h"
#include "shared/shared_cache.h"
#include "shared/store.h"
#include "shared/webhooks.h"

namespace millrace {

/// The event log of one loop, and what keeps it up.
class LoopLog {
 public:
  virtual ~LoopLog() = default;
  virtual EventLog& log() = 0;
  /// Until cancelled; must have ended before this goes.
  virtual Task<> run() = 0;
};

/// The objects of one loop, and what keeps them in order.
class LoopObjects {
 public:
  virtual ~LoopObjects() = default;
  virtual ObjectStore& objects() = 0;
  /// Until cancelled; must have ended before this goes.
  virtual Task<> run() = 0;
};

/// What the edges share, as one loop reaches it, and what keeps it up.
class LoopCache {
 public:
  virtual ~LoopCache() = default;
  virtual SharedCache& cache() = 0;
  /// Until cancelled; must have ended before this goes.
  virtual Task<> run() = 0;
};

/// What the roles of a process stand on: queue, event log, Store and objects, chosen once. Each
/// port is one loop's, is made on it, and goes before this does; the rest may be asked from any
/// thread.
class Services {
 public:
  virtual ~Services() = default;

  /// For a loop that only puts jobs in.
  virtual std::unique_ptr<JobQueue> queue(Clock& clock) = 0;
  /// For a loop that takes them.
  virtual std::unique_ptr<JobQueue> taking_queue(Clock& clock) = 0;
  virtual std::unique_ptr<LoopLog> log(Clock& clock) = 0;
  virtual std::unique_ptr<Store> store(Clock& clock) = 0;
  /// For CachedSessions: kept for longer than the time-out.
  virtual std::unique_ptr<Sessions> sessions(Clock& clock) = 0;
  virtual std::unique_ptr<ApiKeys> api_keys(Clock& clock) = 0;
  virtual std::unique_ptr<LoopCache> cache(Clock& clock) = 0;
  virtual std::unique_ptr<Webhooks> webhooks(Clock& clock) = 0;
  virtual std::unique_ptr<LoopObjects> objects(Clock& clock) = 0;
  /// Of every link that a process on these gives away.
  virtual const LinkSigner& link_signer() const = 0;

  /// Null where an edge cannot search them.
  virtual std::unique_ptr<DeadLetters> dead_letters(Clock& clock) = 0;

  /// Removes jobs from the Store that have been kept long enough, until cancelled; must have ended
  /// before this goes. For one loop.
  virtual Task<> remove_old_jobs(Clock& clock) = 0;
  /// The same of sessions that have expired.
  virtual Task<> remove_old_sessions(Clock& clock) = 0;

  /// Why nothing that is written now would be found again, and what an operator can do; empty where
  /// it would.
  virtual std::string trouble() const { return {}; }
  /// Jobs can be put in.
  virtual bool queue_ready() const = 0;
  /// All that is queued and not finished; nothing where that is not known.
  virtual std::optional<QueueLag> queue_lag(Instant now) const = 0;
  /// The process drains: what waits for it is somebody else's from here on.
  virtual void stop_taking() = 0;
  virtual void export_counts(CountsExport& to) const = 0;
};

}  // namespace millrace
