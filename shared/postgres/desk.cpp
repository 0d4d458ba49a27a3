#include "shared/postgres/desk.h"

#include <algorithm>
#include <iterator>

#include "shared/runtime/limits.h"

namespace millrace::postgres {

void Desk::push(std::unique_ptr<Call> call) {
  waiting_ += 1;
  bytes_ += call->bytes;
  note_size();
  const std::lock_guard lock(mutex_);
  arrived_.push_back(std::move(call));
  if (std::exchange(told_, true)) return;
  asio::post(clock_.loop(), [this] { take_in(); });
}

void Desk::take_in() {
  Calls arrived;
  {
    const std::lock_guard lock(mutex_);
    arrived.swap(arrived_);
    told_ = false;
  }
  for (const auto& call : arrived) awaited_ += call->door ? 1 : 0;
  calls_.insert(calls_.end(), std::make_move_iterator(arrived.begin()),
                std::make_move_iterator(arrived.end()));
  changed_.notify();
}

Calls Desk::take(std::size_t calls_max) {
  Calls taken;
  while (!calls_.empty() && taken.size() < calls_max) {
    count(*calls_.front(), -1);
    taken.push_back(std::move(calls_.front()));
    calls_.pop_front();
  }
  note_size();
  return taken;
}

void Desk::put_back(Calls calls) {
  for (const auto& call : calls) count(*call, 1);
  calls_.insert(calls_.begin(), std::make_move_iterator(calls.begin()),
                std::make_move_iterator(calls.end()));
  note_size();
}

Calls Desk::take_awaited() {
  Calls taken;
  for (auto& call : calls_) {
    if (!call->door) continue;
    count(*call, -1);
    taken.push_back(std::move(call));
  }
  std::erase(calls_, nullptr);
  note_size();
  return taken;
}

void Desk::count(const Call& call, int change) {
  if (change > 0) {
    waiting_ += 1;
    bytes_ += call.bytes;
    awaited_ += call.door ? 1 : 0;
  } else {
    waiting_ -= 1;
    bytes_ -= call.bytes;
    awaited_ -= call.door ? 1 : 0;
  }
}

void Desk::note_size() {
  full_ = waiting_ >= limits::store_queue_rows_max || bytes_ >= limits::store_queue_bytes_max;
}

}  // namespace millrace::postgres
