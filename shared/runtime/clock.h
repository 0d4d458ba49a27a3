#pragma once
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>
#include <cstdint>
#include <map>
#include <utility>

#include "shared/runtime/task.h"
#include "shared/runtime/time.h"

namespace millrace {

/// Time as one loop sees it, and everything on that loop that waits for it.
///
/// The timers live in a heap of our own, the same for both twins: `LoopClock` drives it by one
/// Asio timer, the simulation's `VirtualClock` by hand. Belongs to one loop; not thread-safe.
/// Whoever waits must have ended before the clock does.
class Clock {
 public:
  using Waiter = asio::any_completion_handler<void(boost::system::error_code)>;
  using TimerId = std::pair<Instant, std::uint64_t>;

  explicit Clock(asio::io_context& loop) : loop_(loop) {}
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  virtual Instant now() const = 0;
  virtual WallTime wall() const = 0;
  asio::io_context& loop() const { return loop_; }

  /// Resumes at or after `when`. Throws `operation_aborted` when its coroutine is cancelled.
  Task<> sleep_until(Instant when);
  Task<> sleep_for(Duration time) { return sleep_until(now() + time); }

  /// Calls the handler by post: without error at `when`, with `operation_aborted` when the
  /// handler's cancellation slot fires, with what `finish` gives when that comes first.
  template <class Token>
  auto async_wait(Instant when, TimerId* id, Token&& token) {
    return asio::async_initiate<Token, void(boost::system::error_code)>(
        [this, when, id](auto handler) { start(when, id, Waiter(std::move(handler))); }, token);
  }
  /// Ends a wait early; false when it has ended already.
  bool finish(TimerId id, boost::system::error_code result);

 protected:
  /// The earliest deadline changed to `head`; `Instant::max()` when nothing waits.
  virtual void arm(Instant head) = 0;
  Instant head() const { return waiting_.empty() ? Instant::max() : waiting_.begin()->first.first; }
  /// Fires every timer that is due at `time`.
  void fire_until(Instant time);

 private:
  void start(Instant when, TimerId* id, Waiter waiter);

  asio::io_context& loop_;
  std::map<TimerId, Waiter> waiting_;
  std::uint64_t next_ = 0;
};

}  // namespace millrace
