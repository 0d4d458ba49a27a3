#include "shared/disk/read_thread.h"

#include <utility>

namespace millrace::disk {

ReadThread::~ReadThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void ReadThread::ask(Read read) {
  {
    const std::lock_guard lock(mutex_);
    reads_.push_back(std::move(read));
  }
  changed_.notify_one();
}

void ReadThread::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !reads_.empty(); });
    if (stopping_) return;
    const Read read = std::move(reads_.front());
    reads_.pop_front();
    lock.unlock();
    read();
    lock.lock();
  }
}

}  // namespace millrace::disk
