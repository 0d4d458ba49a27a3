#pragma once
#include <memory>

#include "shared/job_queue.h"
#include "shared/runtime/clock.h"
#include "shared/runtime/limits.h"
#include "shared/sqlite/sqlite_store.h"

namespace millrace {

namespace sqlite {
struct QueueCounts;
}

struct SqliteJobQueueOptions {
  std::uint32_t taking_ports = 1;  ///< loops that take jobs; each has its share of the keys
  std::uint32_t jobs_in_flight = limits::jobs_in_flight_max;  ///< shared evenly among them
};

/// The queue in the file of a SqliteStore, for one process: whoever holds the data folder.
///
/// `enqueue` notes the job in the Store and queues it in one transaction, which it shares with
/// whatever else is being written (group commit); the same id twice is one job, and one that has
/// ended is not queued again. What runs next is decided in memory by the loop that has the job's
/// key; memory holds at most `limits::queue_jobs_in_memory_max` jobs and
/// `queue_memory_bytes_max`, the rest is read from the file in its turn. Retries, and jobs whose
/// `not_before` has not come, wait by the clock; without a session they do not hold up anybody.
///
/// `settle` and `release` wait for no disk. After a crash a delivery whose end was not written
/// comes again, as all that was queued before the start does, marked `redelivered`; `begin` drops
/// what has ended. A dead letter is kept 30 days. Results go nowhere from here: an embedded
/// millrace has no downstream readers, and the Store has them.
///
/// A full or broken disk: `enqueue` says `unavailable`, or `timed_out` where it was the sync
/// itself that failed; it recovers by itself with the store.
class SqliteJobQueue {
 public:
  /// Throws std::runtime_error with a sentence when the file cannot be read. The store outlives
  /// the queue.
  SqliteJobQueue(SqliteStore& store, SqliteJobQueueOptions options);
  /// Every port must have gone.
  ~SqliteJobQueue();
  SqliteJobQueue(const SqliteJobQueue&) = delete;
  SqliteJobQueue& operator=(const SqliteJobQueue&) = delete;

  /// The queue as seen from a loop that only puts jobs in; `next` says `closed`. Belongs to the
  /// loop of `clock`, which outlives it.
  std::unique_ptr<JobQueue> port(Clock& clock);
  /// The same for a loop that takes jobs, too; at most `taking_ports` at a time
  /// (std::logic_error). When it goes, its share waits for the next one made.
  std::unique_ptr<JobQueue> taking_port(Clock& clock);

  /// From any thread, while the queue lives.
  const sqlite::QueueCounts& counts() const;
  /// Jobs queued and not finished.
  std::int64_t waiting() const;
  /// That, and how fast jobs are finished.
  QueueLag lag(Instant now) const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace millrace
