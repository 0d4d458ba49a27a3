#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace millrace::disk {

/// A thread for reads that may wait for the disk: one after the other, in the order asked.
class ReadThread {
 public:
  using Read = std::function<void()>;

  ReadThread() : thread_(&ReadThread::work, this) {}
  /// Finishes the read at hand and drops the others.
  ~ReadThread();

  void ask(Read read);

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Read> reads_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace millrace::disk
