#pragma once
#include <cstdint>
#include <optional>

#include "shared/job_queue.h"
#include "shared/runtime/nursery.h"
#include "workers/pool/event_pen.h"
#include "workers/pool/worker_parts.h"

namespace millrace {

/// Why a run has to stop before its end.
enum class Stop : std::uint8_t {
  none,
  cancel,     ///< somebody wants no more of the job
  deadline,   ///< its time is over
  hand_over,  ///< this process ends: another goes on
  unwritten,  ///< the pen stopped: the lease is lost, or the log is away for too long
};

/// One run of one delivery: its lease, its pen, and the news that reach it from outside.
/// The parts and the delivery outlive it; `pen.close` before it goes.
class JobRun final : public PenOwner {
 public:
  JobRun(WorkerParts& all_parts, const Delivery& in_hand, bool runs_alone);

  const Job& job() const { return delivery.job; }
  /// Runs of this job that ended in an error, this one counted as if it will.
  std::uint32_t attempt() const;
  /// Of this run, as `started` tells it: ended in an error or lost, each of the earlier ones
  /// counts.
  std::uint32_t number() const { return errors + lost_runs + 1; }
  /// The job's deadline on the monotonic clock, as it stood when the run began.
  Instant deadline() const { return deadline_; }
  bool deadline_passed() const { return parts.clock.now() >= deadline_; }

  /// The first reason stands. What runs upstream is cancelled at once.
  void interrupt(Stop why);
  Stop stop_wanted() const { return stop_; }

  void on_cancel_wanted() noexcept override { interrupt(Stop::cancel); }
  void on_pen_stopped(Errc) noexcept override { interrupt(Stop::unwritten); }
  void on_written(std::uint32_t events) noexcept override {
    parts.counts.append_events.observe(events);
  }

  /// While it lives, `interrupt` stops these tasks.
  class Upstream {
   public:
    Upstream(JobRun& run, Nursery& tasks) : run_(run) { run_.upstream_ = &tasks; }
    ~Upstream() { run_.upstream_ = nullptr; }
    Upstream(const Upstream&) = delete;
    Upstream& operator=(const Upstream&) = delete;

   private:
    JobRun& run_;
  };

  WorkerParts& parts;
  const Delivery& delivery;
  EventPen pen;
  const bool alone;
  bool leased = false;        ///< the log has granted the lease to this run
  bool begun_before = false;  ///< the Store knows of a run before this one
  std::uint32_t errors = 0;   ///< as the log counts them
  std::uint32_t lost_runs = 0;
  Seq text_begins_after = 0;       ///< a rewind to here discards every word of earlier runs
  std::uint32_t pieces_said = 0;   ///< deltas of earlier runs that still stand
  std::optional<Outcome> outcome;  ///< what stands, once the Store has said

 private:
  Instant deadline_;
  Stop stop_ = Stop::none;
  Nursery* upstream_ = nullptr;
};

}  // namespace millrace
