#include "shared/disk/disk_threads.h"

#include <utility>

namespace millrace::disk {

DiskThreads::DiskThreads(std::size_t threads, std::size_t waiting_max) : waiting_max_(waiting_max) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back(&DiskThreads::run, this);
}

DiskThreads::~DiskThreads() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void DiskThreads::push(Work work) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(work));
    full_ = waiting_.size() >= waiting_max_;
  }
  changed_.notify_one();
}

void DiskThreads::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    Work work = std::move(waiting_.front());
    waiting_.pop_front();
    full_ = waiting_.size() >= waiting_max_;
    lock.unlock();
    work();
    work = nullptr;  // what it holds may wait for the disk, too
    lock.lock();
  }
}

}  // namespace millrace::disk
