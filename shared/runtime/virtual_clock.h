#pragma once
#include "shared/runtime/clock.h"

namespace millrace {

/// Time that only moves when told to: the twin of `LoopClock` for tests and simulation. The loop
/// serves as a bare run queue, so hours pass in milliseconds and each run is like the last.
class VirtualClock final : public Clock {
 public:
  using Clock::Clock;

  Instant now() const override { return now_; }
  WallTime wall() const override { return wall_; }

  /// Runs everything that is ready and moves time from deadline to deadline, up to `end`.
  void run_until(Instant end);
  void run_for(Duration time) { run_until(now_ + time); }
  /// Moves the wall clock alone, as an administrator or NTP would.
  void jump_wall(std::chrono::milliseconds by) { wall_ += by; }

 private:
  void arm(Instant) override {}
  void advance_to(Instant time);

  Instant now_{};
  WallTime wall_{std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)};
};

}  // namespace millrace
