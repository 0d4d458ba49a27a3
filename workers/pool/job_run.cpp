#include "workers/pool/job_run.h"

#include <algorithm>

namespace millrace {

JobRun::JobRun(WorkerParts& all_parts, const Delivery& in_hand, bool runs_alone)
    : parts(all_parts),
      delivery(in_hand),
      pen(all_parts.log, all_parts.clock, in_hand.job, all_parts.settings.name,
          new_token(all_parts.random), *this),
      alone(runs_alone),
      deadline_(all_parts.clock.now() + (in_hand.job.deadline - all_parts.clock.wall())) {}

// The log counts errors, and only errors. The queue's count survives the log, but it also counts
// the one delivery that waited for a `not_before` far away.
std::uint32_t JobRun::attempt() const {
  const bool waited =
      job().not_before && *job().not_before - job().created_at > limits::retry_in_memory_max;
  const std::uint32_t by_queue = delivery.attempt - (waited && delivery.attempt > 1 ? 1 : 0);
  return std::max(errors + 1, by_queue);
}

void JobRun::interrupt(Stop why) {
  if (stop_ != Stop::none) return;
  stop_ = why;
  if (upstream_) upstream_->stop();
}

}  // namespace millrace
