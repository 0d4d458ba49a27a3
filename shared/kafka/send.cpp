#include "shared/kafka/send.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <mutex>

namespace millrace::kafka {
namespace {

using Sends = std::vector<std::shared_ptr<Send>>;

/// Held from the look at `left` to the post, so that a loop whose coroutines have left may be
/// destroyed: after leaving, either nothing was posted to it or the post is complete. A waiter
/// that gets its report never takes it. Outlives every producer.
std::mutex reporting;

void resume(Sends sends) {
  for (auto& send : sends) {
    send->done = true;
    if (!send->waiter) continue;  // its coroutine was cancelled
    auto waiter = std::exchange(send->waiter, nullptr);
    asio::get_associated_cancellation_slot(waiter).clear();
    std::move(waiter)(boost::system::error_code{});
  }
}

void cancel(Send* send) {
  auto waiter = std::exchange(send->waiter, nullptr);
  if (!waiter) return;
  asio::get_associated_cancellation_slot(waiter).clear();
  asio::post(send->loop, [waiter = std::move(waiter)]() mutable {
    std::move(waiter)(asio::error::operation_aborted);
  });
}

void wait(Send* send, Send::Waiter waiter) {
  send->waiter.swap(waiter);  // Boost 1.81's move assignment calls itself for ever
  // The slot is taken from the erased handler: one taken before the erasure is lost silently.
  auto slot = asio::get_associated_cancellation_slot(send->waiter);
  if (slot.is_connected()) slot.assign([send](asio::cancellation_type) { cancel(send); });
}

}  // namespace

Ticket::~Ticket() {
  if (send_->done) return;
  const std::lock_guard lock(reporting);
  if (!send_->posted) send_->left = true;
}

Send* Ticket::carry() {
  send_->carried = send_;
  return send_.get();
}

Task<Result<>> Ticket::result() {
  co_await asio::async_initiate<decltype(use_task), void(boost::system::error_code)>(
      [send = send_.get()](auto handler) { wait(send, Send::Waiter(std::move(handler))); },
      use_task);
  co_return send_->result;
}

void report(std::vector<Send*>& sends) {
  std::vector<std::pair<asio::io_context*, Sends>> by_loop;
  const std::lock_guard lock(reporting);
  for (auto* const send : sends) {
    auto owned = std::move(send->carried);
    if (send->left) continue;
    send->posted = true;
    auto batch = std::ranges::find(by_loop, &send->loop, [](auto& entry) { return entry.first; });
    if (batch == by_loop.end()) batch = by_loop.emplace(batch, &send->loop, Sends());
    batch->second.push_back(std::move(owned));
  }
  for (auto& [loop, sends_of_loop] : by_loop) {
    asio::post(*loop, [batch = std::move(sends_of_loop)]() mutable { resume(std::move(batch)); });
  }
  sends.clear();
}

}  // namespace millrace::kafka
