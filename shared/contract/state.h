#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace millrace {

/// Where a job stands; the diagram and who writes each state are in this folder's README.
enum class JobState : std::uint8_t {
  queued,
  running,
  retrying,  ///< live
  succeeded,
  failed,
  cancelled,
  expired  ///< terminal: exactly one, for ever
};

constexpr bool terminal(JobState state) {
  return state >= JobState::succeeded;
}
std::string_view to_string(JobState state);
std::optional<JobState> job_state(std::string_view name);

}  // namespace millrace
