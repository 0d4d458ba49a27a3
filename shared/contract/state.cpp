#include "shared/contract/state.h"

#include <array>
#include <utility>

namespace millrace {
namespace {

constexpr std::array<std::pair<JobState, std::string_view>, 7> names{{
    {JobState::queued, "queued"},
    {JobState::running, "running"},
    {JobState::retrying, "retrying"},
    {JobState::succeeded, "succeeded"},
    {JobState::failed, "failed"},
    {JobState::cancelled, "cancelled"},
    {JobState::expired, "expired"},
}};

}  // namespace

std::string_view to_string(JobState state) {
  for (const auto& [value, name] : names)
    if (value == state) return name;
  return "unknown";
}

std::optional<JobState> job_state(std::string_view name) {
  for (const auto& [value, known] : names)
    if (known == name) return value;
  return std::nullopt;
}

}  // namespace millrace
