#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "shared/runtime/ids.h"
#include "shared/runtime/time.h"

namespace millrace::disk {

/// A thread that does what takes long, one chore after the other, in the order asked.
class UpkeepThread {
 public:
  struct Chore {
    enum class Kind : std::uint8_t { turn, restate, shorten, purge, probe };
    Kind kind = Kind::turn;
    JobId id{};
    WallTime now{};
  };
  using Do = std::function<void(const Chore&)>;

  explicit UpkeepThread(Do work);
  ~UpkeepThread() { stop(); }

  void turn() { ask({.kind = Chore::Kind::turn}); }
  void restate() { ask({.kind = Chore::Kind::restate}); }
  void shorten(const JobId& id, WallTime now) { ask({Chore::Kind::shorten, id, now}); }
  void purge(WallTime now) { ask({.kind = Chore::Kind::purge, .now = now}); }
  void probe() { ask({.kind = Chore::Kind::probe}); }

  void start();
  /// Waits until nothing is left to do.
  void settle();
  /// Finishes the chore at hand and drops the others.
  void stop();

 private:
  void ask(const Chore& chore);
  void work();

  Do do_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Chore> chores_;
  bool busy_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace millrace::disk
