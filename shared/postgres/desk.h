#pragma once
#include <atomic>
#include <deque>
#include <mutex>

#include "shared/postgres/call.h"
#include "shared/runtime/signal.h"

namespace millrace::postgres {

/// Calls of all loops on their way to the store's loop, in the order they came.
class Desk {
 public:
  explicit Desk(Clock& clock) : clock_(clock), changed_(clock) {}

  // --- any thread
  /// True at `limits::store_queue_rows_max` calls or `store_queue_bytes_max` bytes.
  bool full() const { return full_.load(std::memory_order_relaxed); }
  void push(std::unique_ptr<Call> call);

  // --- on the store's loop
  /// Told of calls that came and of whatever else the reader of this desk looks at.
  Signal& changed() { return changed_; }
  bool empty() const { return calls_.empty(); }
  /// Somebody waits for one of those here.
  bool awaited() const { return awaited_ > 0; }
  /// The oldest, at most so many.
  Calls take(std::size_t calls_max);
  /// Back to the front, in their order.
  void put_back(Calls calls);
  /// Takes out every call somebody waits for, wherever it stands.
  Calls take_awaited();

 private:
  void take_in();
  void count(const Call& call, int change);
  void note_size();

  Clock& clock_;
  Signal changed_;
  std::deque<std::unique_ptr<Call>> calls_;
  std::size_t awaited_ = 0;
  std::mutex mutex_;
  Calls arrived_;
  bool told_ = false;
  // Of all that was pushed and not taken.
  std::atomic<std::size_t> waiting_ = 0;
  std::atomic<std::size_t> bytes_ = 0;
  std::atomic<bool> full_ = false;
};

}  // namespace millrace::postgres
