#pragma once
#include <cstdint>
#include <string_view>

#include "shared/disk/job_log.h"
#include "shared/event_log.h"

/// What a begin or an append does to a job: decisions, from values to values.
namespace millrace::disk {

/// What the rules need of time. One process holds the log, so a lease is counted on its monotonic
/// clock, and a process that starts finds every lease lapsed.
struct Moment {
  Instant now{};
  WallTime wall{};
  std::uint64_t era = 0;  ///< of the log, see SegmentLog
};

/// What stands of a lease: until when, for a job whose standing is held.
using LeaseEnd = Instant;

struct BeginDecision {
  Begun begun;
  Standing after;
  bool to_write = false;  ///< `after` is news; otherwise the lease alone is new, if granted
};

/// Takes or renews the lease of a job that has not ended.
///
/// Its log is whole when it reaches what this holder knows and either nothing was lost since it
/// was begun or the holder is the one that began it. After a loss numbering goes on at the wall
/// clock in µs, above any number given before: nothing is said twice under another meaning. The
/// jump is kept until the next event, so a begin that is sent again tells of it again.
///
/// A holder that goes on (`known` > 0) and was replaced meanwhile is not let in again, even when
/// the lease is free: it does not know what the other has written, and its numbers are given.
BeginDecision decide_begin(const Standing& stands, LeaseEnd lease_until,
                           const BeginRequest& request, const Moment& at);

struct AppendDecision {
  Standing after;
  bool to_write = false;  ///< otherwise it was written before, or only renews the lease
};

/// Writes under the lease: `fenced` or `lost` when it may not.
Result<AppendDecision> decide_append(const Standing& stands, const AppendRequest& request,
                                     const Moment& at);

/// Where a job stands after `count` more events and a change of state.
Standing after_append(Standing stands, std::uint32_t count, std::optional<JobState> state,
                      WallTime wall);

}  // namespace millrace::disk
