#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tests/simulation/planted.h"
#include "tests/simulation/world.h"

namespace millrace::sim {

/// How one run ended.
struct Report {
  std::uint64_t seed = 0;
  std::uint64_t hash = 0;  ///< of everything that happened
  std::uint64_t events = 0;
  std::uint64_t steps = 0;
  Duration took{};  ///< virtual
  std::string plan;
  std::optional<Broken> broken;
  std::string last_events;
};

struct RunOptions {
  Mistakes mistakes;
  std::size_t events_kept = 40;  ///< for the report; 0: all
};

/// Runs the world of one seed to its end.
Report run_seed(std::uint64_t seed, const RunOptions& options);

/// Runs so many seeds from the first, up to one that breaks a promise.
std::optional<Report> first_broken(std::uint64_t from, std::uint64_t count,
                                   const RunOptions& options);

/// A broken promise for people: which and how, the world, its last events, and how to see it again.
/// `planted` names the bug that was in it, if any.
std::string told(const Report& report, std::string_view planted);

}  // namespace millrace::sim
