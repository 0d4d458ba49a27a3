#pragma once
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace millrace::disk {

/// A few threads that do for the loops what waits for the disk. Pieces of work may run at once and
/// in any order; none may throw.
class DiskThreads {
 public:
  using Work = std::move_only_function<void()>;

  DiskThreads(std::size_t threads, std::size_t waiting_max);
  /// What is at hand is finished, what waits is dropped.
  ~DiskThreads();
  DiskThreads(const DiskThreads&) = delete;
  DiskThreads& operator=(const DiskThreads&) = delete;

  /// `waiting_max` pieces of work wait: more should be refused.
  bool full() const { return full_.load(std::memory_order_relaxed); }
  void push(Work work);
  /// For work that takes long: it is not wanted any more.
  bool stopping() const { return stopping_.load(std::memory_order_relaxed); }

 private:
  void run();

  const std::size_t waiting_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> waiting_;
  std::atomic<bool> full_ = false;
  std::atomic<bool> stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace millrace::disk
