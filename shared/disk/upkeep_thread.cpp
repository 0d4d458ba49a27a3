#include "shared/disk/upkeep_thread.h"

#include <utility>

namespace millrace::disk {

UpkeepThread::UpkeepThread(Do work) : do_(std::move(work)) {}

void UpkeepThread::start() {
  thread_ = std::thread(&UpkeepThread::work, this);
}

void UpkeepThread::ask(const Chore& chore) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    chores_.push_back(chore);
  }
  changed_.notify_all();
}

void UpkeepThread::settle() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return chores_.empty() && !busy_; });
}

void UpkeepThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    chores_.clear();
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void UpkeepThread::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !chores_.empty(); });
    if (stopping_) return;
    const Chore chore = chores_.front();
    chores_.pop_front();
    busy_ = true;
    lock.unlock();
    do_(chore);
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace millrace::disk
