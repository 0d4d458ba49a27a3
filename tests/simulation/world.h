#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/simulation/chance.h"
#include "tests/simulation/process.h"
#include "tests/simulation/trace.h"

namespace millrace::sim {

/// A promise that was broken: which, and how.
struct Broken {
  std::string promise;
  std::string how;
};

/// Time, chance, processes and what is on its way between them. One thread runs all of it: always
/// the earliest thing first, and of things at one instant the one that was sent first.
class World {
 public:
  using Event = std::function<void()>;

  explicit World(std::uint64_t seed) : chance(seed) {}
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  Process& process(std::string name);

  Instant now() const { return time_.now; }
  WallTime wall() const { return time_.wall; }
  Duration elapsed() const { return time_.now - began_; }

  /// Happens outside of every process: on a wire, at a server, at the hand of fate.
  void at(Instant when, Event event) {
    events_.emplace(std::max(when, time_.now), std::move(event));
  }
  void after(Duration time, Event event) { at(time_.now + time, std::move(event)); }

  /// Runs until `end`, or until a promise is broken.
  void run_until(Instant end);

  void stop(Process& process);
  void resume(Process& process);

  void note(std::string_view who, std::string text) { trace.add(time_.now, who, std::move(text)); }
  /// The first one counts.
  void broken(std::string promise, std::string how);
  const std::optional<Broken>& failure() const { return failure_; }
  /// Goes on after a failure, so that everything can end.
  void forgive() { forgiving_ = true; }

  Chance chance;
  Trace trace;
  bool clocks_stop_too = false;  ///< planted: see HostClock::oversleep
  std::uint64_t steps = 0;

 private:
  void run_what_is_ready();
  Instant next() const;

  WorldTime time_;
  const Instant began_ = time_.now;
  std::multimap<Instant, Event> events_;
  std::vector<std::unique_ptr<Process>> processes_;
  std::optional<Broken> failure_;
  bool forgiving_ = false;
};

}  // namespace millrace::sim
