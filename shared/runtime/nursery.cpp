#include "shared/runtime/nursery.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <cassert>

namespace millrace {

Nursery::~Nursery() {
  assert(children_.empty() && "join a nursery before it goes");
}

void Nursery::start(Task<> task) {
  const auto child = children_.emplace(children_.end());
  asio::co_spawn(
      clock_.loop(), std::move(task),
      asio::bind_cancellation_slot(child->slot(), [this, child](std::exception_ptr failure) {
        children_.erase(child);
        if (failure && !failure_ && !stopping_) failure_ = failure;
        if (children_.empty() || failure_) child_ended_.notify();
      }));
  if (stopping_) child->emit(asio::cancellation_type::terminal);
}

void Nursery::stop() {
  stopping_ = true;
  // A child may end, and leave the list, while it is being told.
  for (auto child = children_.begin(); child != children_.end();) {
    const auto next = std::next(child);
    child->emit(asio::cancellation_type::terminal);
    child = next;
  }
}

Task<> Nursery::join() {
  std::exception_ptr cancelled;
  while (!children_.empty()) {
    if (failure_ && !stopping_) stop();
    try {
      co_await child_ended_.wait();
    } catch (...) {
      cancelled = std::current_exception();
    }
    if (cancelled && !stopping_) {
      // The children still have to end before their owner may.
      co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
      stop();
    }
  }
  if (failure_) std::rethrow_exception(failure_);
  if (cancelled) std::rethrow_exception(cancelled);
}

}  // namespace millrace
