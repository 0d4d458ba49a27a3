#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "shared/contract/job.h"
#include "shared/contract/verdict.h"
#include "shared/runtime/error.h"
#include "shared/runtime/task.h"

namespace millrace {

/// One job in the hands of one worker. Move-only in spirit: the handle names it to its queue.
struct Delivery {
  Job job;
  std::uint32_t attempt = 1;  ///< of the queue: 1 for the first, raised by each Retry
  bool redelivered = false;   ///< may have been begun by somebody before
  std::uint64_t handle = 0;   ///< meaningful to the queue that gave it, and only until settled
};

/// How full the queue is: what nobody has finished yet.
struct QueueLag {
  std::int64_t waiting = 0;   ///< in the partition (or place) the key goes to
  double finished_per_s = 0;  ///< there, over the last minute; 0 when not known
};

/// A durable queue of jobs, as seen from one loop. Deliveries come at least once, in order by
/// `Job::key()` (the next of a key only after the one before is settled), finish in any order.
class JobQueue {
 public:
  virtual ~JobQueue() = default;

  /// Durable on return. `unavailable`, `full`: certainly not queued; `timed_out`: cannot be told,
  /// the job may run; `overloaded`: the producer's buffer is full, certainly not queued.
  virtual Task<Result<>> enqueue(const Job& job) = 0;

  /// Waits for work; fails only with `closed`, once the queue is draining and nothing is left.
  virtual Task<Result<Delivery>> next() = 0;

  /// Ends a delivery: Retry comes again not before its time with attempt + 1, Dead also leaves
  /// a dead letter with the reason; a `result` (JSON), where there is one, goes to downstream
  /// readers under the job's id. What is produced is acknowledged before the delivery counts as
  /// finished, so all of it happens at least once; the key is free for its next job at once.
  /// In any order; twice is a no-op.
  virtual Task<Result<>> settle(const Delivery& delivery, Verdict verdict,
                                std::string result = {}) = 0;

  /// Gives a delivery back, uncounted: it comes again, its key waits, its slot is free. For a
  /// lease held by somebody else, a job that is not due yet, and hand-over while draining.
  /// Its `redelivered`, as given here, says whether anybody may have begun it.
  virtual void release(const Delivery& delivery, Instant not_before) = 0;

  /// What is known of the queue a job would go to; never asks over the network.
  virtual std::optional<QueueLag> lag(const Job& job) = 0;
};

}  // namespace millrace
