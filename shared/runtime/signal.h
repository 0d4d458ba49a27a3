#pragma once
#include <vector>

#include "shared/runtime/clock.h"

namespace millrace {

/// Wakes tasks of the same loop that wait for something to change. A `notify` nobody waits for is
/// kept, so a waiter that looks at its state first and then waits never misses a change.
class Signal {
 public:
  explicit Signal(Clock& clock) : clock_(clock) {}
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

  void notify();
  /// True when notified, false when `deadline` came first. Throws when its coroutine is cancelled.
  Task<bool> wait_until(Instant deadline);
  Task<bool> wait() { return wait_until(Instant::max()); }

 private:
  Clock& clock_;
  std::vector<Clock::TimerId> waiters_;
  bool notified_ = false;
};

}  // namespace millrace
