#include "workers/pool/quiet_room.h"

#include "shared/runtime/log.h"

namespace millrace {

/// Takes everything back if the wait is cancelled.
struct QuietRoom::Waiting {
  explicit Waiting(QuietRoom& in) : room(&in) { room->suspects_.come(); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() {
    if (!room) return;
    if (claimed) room->claimed_.store(false);
    room->suspects_.go(false);
  }
  QuietRoom* room;
  bool claimed = false;
};

Task<> QuietRoom::enter(Clock& clock) {
  for (;;) {
    inside_.fetch_add(1);
    if (!claimed_.load()) co_return;
    inside_.fetch_sub(1);
    co_await clock.sleep_for(look_every);
  }
}

Task<> QuietRoom::enter_alone(Clock& clock) {
  Waiting waiting(*this);
  while (claimed_.exchange(true)) co_await clock.sleep_for(look_every);
  waiting.claimed = true;
  while (inside_.load() != 0) {
    co_await clock.sleep_for(look_every);
    suspects_.tell();
  }
  suspects_.tell();
  waiting.room = nullptr;
}

void QuietRoom::leave_alone() {
  claimed_.store(false);
  suspects_.go(true);
}

void QuietRoom::Suspects::come() {
  const std::lock_guard lock(mutex_);
  ++count_;
}

void QuietRoom::Suspects::tell() {
  const std::lock_guard lock(mutex_);
  if (std::exchange(told_, true)) return;
  log::warn("suspects_run_alone",
            {{"jobs", count_},
             {"why", "each was running when its worker died, twice; every other job waits"}});
}

void QuietRoom::Suspects::go(bool ran) {
  const std::lock_guard lock(mutex_);
  ran_ += ran ? 1 : 0;
  if (--count_ > 0) return;
  if (told_) log::info("suspects_ran_alone", {{"jobs", ran_}});
  ran_ = 0;
  told_ = false;
}

}  // namespace millrace
