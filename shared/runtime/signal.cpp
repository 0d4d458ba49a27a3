#include "shared/runtime/signal.h"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>

namespace millrace {
namespace {
// Tells a notified waiter from one whose time ran out; never leaves this file.
const auto woken = boost::system::errc::make_error_code(boost::system::errc::interrupted);
}  // namespace

void Signal::notify() {
  if (waiters_.empty()) {
    notified_ = true;
    return;
  }
  for (const auto& waiter : std::exchange(waiters_, {})) clock_.finish(waiter, woken);
}

Task<bool> Signal::wait_until(Instant deadline) {
  if (std::exchange(notified_, false)) co_return true;
  struct Place {  // taken out again however the wait ends
    Signal& signal;
    Clock::TimerId id{};
    ~Place() { std::erase(signal.waiters_, id); }
  } place{*this};
  boost::system::error_code result;
  auto token = asio::redirect_error(use_task, result);
  auto enter = [this, deadline, &place](auto handler) {
    clock_.async_wait(deadline, &place.id, std::move(handler));
    waiters_.push_back(place.id);
  };
  co_await asio::async_initiate<decltype(token), void(boost::system::error_code)>(enter, token);
  if (result == asio::error::operation_aborted) throw boost::system::system_error(result);
  co_return result == woken;
}

}  // namespace millrace
