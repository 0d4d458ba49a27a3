#include "tests/simulation/world.h"

#include <algorithm>

#include "tests/simulation/wire.h"

namespace millrace::sim {

World::~World() = default;

Process& World::process(std::string name) {
  return *processes_.emplace_back(std::make_unique<Process>(std::move(name), time_, chance.seed()));
}

void World::run_what_is_ready() {
  for (bool some = true; some;) {
    some = false;
    // Those that join meanwhile are run, too.
    for (std::size_t i = 0; i < processes_.size(); ++i) {
      Process& process = *processes_[i];
      if (!process.runs()) continue;
      process.loop.restart();
      const std::size_t ran = process.loop.poll();
      steps += ran;
      some = some || ran > 0;
    }
  }
}

Instant World::next() const {
  Instant earliest = events_.empty() ? Instant::max() : events_.begin()->first;
  for (const auto& process : processes_)
    if (process->runs()) earliest = std::min(earliest, process->clock.next());
  return earliest;
}

void World::run_until(Instant end) {
  for (run_what_is_ready(); !failure_ || forgiving_; run_what_is_ready()) {
    const Instant when = next();
    if (when > end) break;
    if (when > time_.now) {
      const auto ms = [](Instant at) {
        return std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch());
      };
      time_.wall += ms(when) - ms(time_.now);
      time_.now = when;
    }
    if (!events_.empty() && events_.begin()->first <= time_.now) {
      const Event event = std::move(events_.begin()->second);
      events_.erase(events_.begin());
      ++steps;
      event();
      continue;
    }
    for (const auto& process : processes_)
      if (process->runs() && process->clock.due(time_.now)) process->clock.fire();
  }
}

void World::stop(Process& process) {
  if (process.stopped) return;
  process.stopped = true;
  process.stopped_at = time_.now;
  note(process.name, "SIGSTOP");
}

void World::resume(Process& process) {
  if (!process.stopped) return;
  process.stopped = false;
  if (clocks_stop_too) process.clock.oversleep(time_.now - process.stopped_at);
  note(process.name, "SIGCONT");
}

void World::broken(std::string promise, std::string how) {
  if (failure_) return;
  note("JUDGE", promise + ": " + how);
  failure_ = Broken{std::move(promise), std::move(how)};
}

}  // namespace millrace::sim
