#pragma once
#include <span>
#include <string_view>

#include "shared/memory/bugs.h"

namespace millrace::sim {

/// Everything that can be made to go wrong on purpose.
struct Mistakes {
  memory::Bugs adapters;
  bool resumes_one_late = false;      ///< the edge goes on after the event after Last-Event-ID
  bool resumes_one_early = false;     ///< and before it
  bool lease_clock_stops = false;     ///< a process's monotonic clock stands while it is stopped
  bool relay_cache_is_stale = false;  ///< what the Store said once is believed for ever
};

/// A bug that the simulation has to find, and how it would come about.
struct Planted {
  std::string_view name;
  std::string_view what;
  void (*plant)(Mistakes&);
};

std::span<const Planted> all_planted();
/// Null: no such name.
const Planted* find_planted(std::string_view name);

}  // namespace millrace::sim
