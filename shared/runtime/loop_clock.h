#pragma once
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/wait_traits.hpp>
#include <chrono>

#include "shared/runtime/clock.h"

namespace millrace {

/// The real clock of one loop: the machine's monotonic and wall clocks, and one Asio timer set
/// to the earliest deadline.
class LoopClock final : public Clock {
 public:
  explicit LoopClock(asio::io_context& loop) : Clock(loop), timer_(loop) {}

  Instant now() const override { return std::chrono::steady_clock::now(); }
  WallTime wall() const override;

 private:
  void arm(Instant head) override;
  void set(Instant when);

  using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                           asio::wait_traits<std::chrono::steady_clock>, Executor>;
  Timer timer_;
  Instant set_for_ = Instant::max();
};

}  // namespace millrace
