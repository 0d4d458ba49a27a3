#include "shared/sqlite/call_queue.h"

#include <iterator>

#include "shared/runtime/limits.h"

namespace millrace::sqlite {

void CallQueue::push(std::unique_ptr<Call> call) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    const bool awaited = call->port != 0;
    // A lingering thread is only woken for somebody who waits: notes come by the thousand.
    wake = calls_.empty() || (awaited && waited_for_ == 0);
    waited_for_ += awaited ? 1 : 0;
    bytes_ += call->bytes;
    calls_.push_back(std::move(call));
    note_size();
  }
  if (wake) changed_.notify_one();
}

bool CallQueue::take(Calls& out, std::chrono::milliseconds linger) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !calls_.empty() || closed_; });
  changed_.wait_for(lock, linger, [&] { return urgent() || full(); });
  return pop(out);
}

bool CallQueue::take_within(Calls& out, std::chrono::milliseconds pause) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, pause, [&] { return urgent(); });
  return pop(out);
}

bool CallQueue::pop(Calls& out) {
  const bool more = !calls_.empty() || !closed_;
  while (!calls_.empty() && out.size() < limits::store_batch_rows_max) {
    waited_for_ -= calls_.front()->port != 0 ? 1 : 0;
    bytes_ -= calls_.front()->bytes;
    out.push_back(std::move(calls_.front()));
    calls_.pop_front();
  }
  note_size();
  return more;
}

void CallQueue::put_back(Calls calls) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  for (const auto& call : calls) {
    waited_for_ += call->port != 0 ? 1 : 0;
    bytes_ += call->bytes;
  }
  calls_.insert(calls_.begin(), std::make_move_iterator(calls.begin()),
                std::make_move_iterator(calls.end()));
  note_size();
}

Calls CallQueue::take_awaited() {
  const std::lock_guard lock(mutex_);
  Calls awaited;
  std::deque<std::unique_ptr<Call>> others;
  for (auto& call : calls_) {
    if (call->port == 0) {
      others.push_back(std::move(call));
      continue;
    }
    bytes_ -= call->bytes;
    awaited.push_back(std::move(call));
  }
  calls_ = std::move(others);
  waited_for_ = 0;
  note_size();
  return awaited;
}

void CallQueue::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_one();
}

void CallQueue::note_size() {
  full_.store(
      calls_.size() >= limits::store_queue_rows_max || bytes_ >= limits::store_queue_bytes_max,
      std::memory_order_relaxed);
}

}  // namespace millrace::sqlite
