#include "shared/runtime/loop_clock.h"

namespace millrace {

WallTime LoopClock::wall() const {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

// A deadline that moved away leaves the timer as it is: it fires early once and is set again.
// Most deadlines are time-outs that never come, so this saves a system call for each.
void LoopClock::arm(Instant head) {
  if (head < set_for_) set(head);
}

void LoopClock::set(Instant when) {
  set_for_ = when;
  timer_.expires_at(when);
  timer_.async_wait([this](boost::system::error_code moved) {
    if (moved) return;
    set_for_ = Instant::max();
    fire_until(now());
  });
}

}  // namespace millrace
