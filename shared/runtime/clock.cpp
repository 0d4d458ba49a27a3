#include "shared/runtime/clock.h"

#include <boost/asio/post.hpp>

namespace millrace {

void Clock::start(Instant when, TimerId* id, Waiter waiter) {
  const TimerId key{when, next_++};
  if (id) *id = key;
  // The slot is taken from the erased handler: one taken before the erasure is lost silently.
  auto placed = waiting_.emplace(key, std::move(waiter)).first;
  auto slot = asio::get_associated_cancellation_slot(placed->second);
  if (slot.is_connected()) {
    slot.assign(
        [this, key](asio::cancellation_type) { finish(key, asio::error::operation_aborted); });
  }
  if (placed == waiting_.begin()) arm(when);
}

bool Clock::finish(TimerId id, boost::system::error_code result) {
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return false;
  Waiter waiter = std::move(found->second);
  const bool was_head = found == waiting_.begin();
  waiting_.erase(found);
  if (was_head) arm(head());
  asio::get_associated_cancellation_slot(waiter).clear();
  asio::post(loop_, [waiter = std::move(waiter), result]() mutable { std::move(waiter)(result); });
  return true;
}

void Clock::fire_until(Instant time) {
  while (!waiting_.empty() && waiting_.begin()->first.first <= time) {
    Waiter waiter = std::move(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
    asio::get_associated_cancellation_slot(waiter).clear();
    asio::post(loop_, [waiter = std::move(waiter)]() mutable {
      std::move(waiter)(boost::system::error_code{});
    });
  }
  arm(head());
}

Task<> Clock::sleep_until(Instant when) {
  co_await async_wait(when, nullptr, use_task);
}

}  // namespace millrace
