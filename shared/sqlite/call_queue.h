#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "shared/sqlite/call.h"

namespace millrace::sqlite {

using Calls = std::vector<std::unique_ptr<Call>>;

/// Calls of all loops on their way to one thread, in the order they came.
class CallQueue {
 public:
  /// True at `limits::store_queue_rows_max` calls or `store_queue_bytes_max` bytes. Any thread.
  bool full() const { return full_.load(std::memory_order_relaxed); }
  void push(std::unique_ptr<Call> call);

  /// Takes the oldest calls, at most `limits::store_batch_rows_max`, into the empty `out`. Waits
  /// for the first; while nobody waits for any of them, up to `linger` longer for others to share
  /// the commit. False when closed and empty.
  bool take(Calls& out, std::chrono::milliseconds linger);
  /// The same, but returns after `pause` at the latest, perhaps with nothing.
  bool take_within(Calls& out, std::chrono::milliseconds pause);

  /// Puts calls back to the front, in their order; drops them when closed.
  void put_back(Calls calls);
  /// Takes out every call somebody waits for, wherever it stands.
  Calls take_awaited();
  /// What is here can still be taken.
  void close();

 private:
  bool urgent() const { return waited_for_ > 0 || closed_; }
  bool pop(Calls& out);
  void note_size();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Call>> calls_;
  std::size_t waited_for_ = 0;
  std::size_t bytes_ = 0;
  bool closed_ = false;
  std::atomic<bool> full_ = false;
};

}  // namespace millrace::sqlite
