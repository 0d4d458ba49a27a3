#pragma once
#include <memory>
#include <string>
#include <vector>

#include "shared/runtime/clock.h"
#include "shared/runtime/random.h"

namespace millrace::sim {

/// The world's own time, which every clock shows.
struct WorldTime {
  Instant now{std::chrono::seconds(1000)};
  WallTime wall{std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)};
};

/// Time as one host sees it. Its wall clock may be set wrong.
class HostClock final : public Clock {
 public:
  HostClock(asio::io_context& loop, const WorldTime& time) : Clock(loop), time_(time) {}

  Instant now() const override { return time_.now - slept_; }
  WallTime wall() const override { return time_.wall + wrong_by_; }
  /// As an administrator or NTP would.
  void jump_wall(std::chrono::milliseconds by) { wrong_by_ += by; }
  /// Planted: a monotonic clock that stands still while its process does.
  void oversleep(Duration by) { slept_ += by; }

  /// When the world has to come back to it.
  Instant next() const {
    const Instant at = head();
    return at == Instant::max() ? at : at + slept_;
  }
  bool due(Instant world_now) const { return next() <= world_now; }
  void fire() { fire_until(now()); }

 private:
  void arm(Instant) override {}

  const WorldTime& time_;
  std::chrono::milliseconds wrong_by_{};
  Duration slept_{};
};

/// What is known of a process after it has gone, too.
struct Life {
  bool dead = false;
  Instant died_at = Instant::max();
};

class Wire;

/// One process: a loop, a clock, its chance. It can be stopped (SIGSTOP: nothing of it runs, what
/// it is sent waits) and killed: from then on nothing it does reaches anybody, its tasks are ended,
/// and what it was is destroyed. The shell stays until the world ends, for what is under way.
struct Process {
  Process(std::string its_name, const WorldTime& time, std::uint64_t seed)
      : name(std::move(its_name)), clock(loop, time), random(seed) {}

  bool runs() const { return !stopped && !gone; }

  const std::string name;
  asio::io_context loop{1};
  HostClock clock;
  SeededRandom random;
  std::shared_ptr<Life> life = std::make_shared<Life>();
  bool stopped = false;
  bool gone = false;  ///< nothing of it is left
  Instant stopped_at{};
  std::vector<std::shared_ptr<Wire>> wires;
};

}  // namespace millrace::sim
