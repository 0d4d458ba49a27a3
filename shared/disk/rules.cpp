#include "shared/disk/rules.h"

#include <algorithm>

namespace millrace::disk {

BeginDecision decide_begin(const Standing& stands, LeaseEnd lease_until,
                           const BeginRequest& request, const Moment& at) {
  BeginDecision decision{.begun = {}, .after = stands};
  Begun& begun = decision.begun;
  begun.state = stands.state;
  begun.last = stands.last;
  begun.errors = stands.errors;
  begun.lost_runs = stands.lost_runs;
  begun.cancel_wanted = stands.cancel_wanted;
  Standing& after = decision.after;
  const bool mine = stands.token == request.token;
  if (request.known > 0 && stands.attempt > 0 && stands.by != request.token) {
    begun.outcome = Begun::Outcome::busy;
    begun.busy_for = std::max(lease_until - at.now, Duration::zero());
    return decision;
  }
  if (!mine && stands.held()) {
    if (lease_until <= at.now) {
      begun.lost_runs = ++after.lost_runs;
    } else if (!request.force) {
      begun.outcome = Begun::Outcome::busy;
      begun.busy_for = lease_until - at.now;
      return decision;
    }
  }
  const bool nothing_lost = stands.era == at.era || (stands.attempt == 0 && !request.begun_before);
  const bool whole = stands.last >= request.known && (mine || nothing_lost);
  if (stands.gap_from > 0 && stands.gap_at == stands.last) begun.gap_from = stands.gap_from;
  if (!whole) {
    if (!begun.gap_from) begun.gap_from = stands.last + 1;
    const auto clock_us = static_cast<Seq>(
        std::max<std::int64_t>(std::chrono::microseconds(at.wall.time_since_epoch()).count(), 0));
    after.last = std::max({clock_us, request.known + 1, stands.last + 1});
    after.gap_at = after.last;
    after.gap_from = *begun.gap_from;
    begun.last = after.last;
  }
  after.state = JobState::running;
  after.token = request.token;
  after.by = request.token;
  after.era = at.era;
  after.attempt = after.errors + after.lost_runs + 1;
  decision.to_write = !mine || !whole || after.era != stands.era;
  return decision;
}

Result<AppendDecision> decide_append(const Standing& stands, const AppendRequest& request,
                                     const Moment& at) {
  const Seq last = request.expected + request.count;
  const bool in_state = request.state && stands.state == *request.state;
  const bool same = stands.last == last && (request.count > 0 || in_state);
  const AppendDecision nothing{.after = stands};
  if (stands.token != request.token) {
    if (same && !stands.held() && in_state && stands.by == request.token) return nothing;
    return Failure(Errc::fenced);
  }
  if (same && (!request.state || in_state)) return nothing;
  if (stands.era != at.era) return Failure(Errc::lost);
  if (stands.state != JobState::running) return Failure(Errc::fenced);
  if (stands.last != request.expected) return Failure(Errc::lost);
  if (request.count == 0 && !request.state) return nothing;
  return AppendDecision{.after = after_append(stands, request.count, request.state, at.wall),
                        .to_write = true};
}

Standing after_append(Standing stands, std::uint32_t count, std::optional<JobState> state,
                      WallTime wall) {
  stands.last += count;
  if (!state) return stands;
  stands.state = *state;
  if (terminal(*state)) {
    stands.ended_at = wall;
  } else {
    stands.token = {};
    if (*state == JobState::retrying) ++stands.errors;
  }
  return stands;
}

}  // namespace millrace::disk
