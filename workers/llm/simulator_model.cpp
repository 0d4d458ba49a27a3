#include "workers/llm/simulator_model.h"

#include <array>
#include <charconv>

namespace millrace {
namespace {

constexpr std::uint32_t every_request = UINT32_MAX;

/// Digits at the front of `text`, taken off; nothing when there are none or too many.
std::optional<std::uint32_t> take_number(std::string_view& text) {
  std::uint32_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

bool set_wait(Duration& wait, std::uint32_t milliseconds) {
  wait = std::chrono::milliseconds(milliseconds);
  return wait <= sim_wait_max;
}

/// `200tok`, `429x2`, `401`: parts that begin with a number.
bool take_counted(SimModel& model, std::string_view part) {
  const auto number = take_number(part);
  if (!number) return false;
  if (part == "ms") return set_wait(model.first, *number);
  if (part == "gap") return set_wait(model.gap, *number);
  if (part == "tok") {
    model.tokens = *number;
    return *number > 0 && *number <= sim_tokens_max;
  }
  const bool always = part.empty() && (*number == 400 || *number == 401);
  const bool at_first =
      part.starts_with('x') && (*number == 429 || *number == 500 || *number == 503);
  if (!always && !at_first) return false;
  model.fault = SimFault::status;
  model.status = static_cast<int>(*number);
  model.times = every_request;
  if (always) return true;
  part.remove_prefix(1);
  const auto times = take_number(part);
  model.times = times.value_or(0);
  return times && part.empty();
}

/// `tool`, `tool3`.
bool take_tool(SimModel& model, std::string_view part) {
  part.remove_prefix(std::string_view("tool").size());
  model.tool_calls = 1;
  if (part.empty()) return true;
  const auto calls = take_number(part);
  model.tool_calls = calls.value_or(0);
  return part.empty() && model.tool_calls > 0 && model.tool_calls <= sim_tool_calls_max;
}

/// `think3`.
bool take_thoughts(SimModel& model, std::string_view part) {
  part.remove_prefix(std::string_view("think").size());
  const auto thoughts = take_number(part);
  model.thoughts = thoughts.value_or(0);
  return part.empty() && model.thoughts > 0;
}

struct NamedFault {
  std::string_view name;
  SimFault fault;
  bool needs_place = false;
  bool takes_place = false;
};
constexpr std::array named_faults{
    NamedFault{"cut", SimFault::cut, true, true},
    NamedFault{"stall", SimFault::stall, false, true},
    NamedFault{"garbage", SimFault::garbage},
    NamedFault{"halfutf8", SimFault::half_utf8},
    NamedFault{"endless", SimFault::endless},
    NamedFault{"noend", SimFault::no_end},
    NamedFault{"slowfirst", SimFault::slow_first},
    NamedFault{"error", SimFault::in_band, true, true},
};

bool take_named(SimModel& model, std::string_view part) {
  for (const auto& named : named_faults) {
    if (!part.starts_with(named.name)) continue;
    auto rest = part.substr(named.name.size());
    model.fault = named.fault;
    if (rest.empty()) return !named.needs_place;
    const auto place = take_number(rest);
    if (!place || !rest.empty()) return false;
    model.at = *place;
    return named.takes_place;
  }
  return false;
}

}  // namespace

std::optional<SimModel> sim_model(std::string_view name) {
  constexpr std::string_view prefix = "sim-";
  if (!name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  SimModel model;
  for (;;) {
    const auto dash = name.find('-');
    const auto part = name.substr(0, dash);
    if (part == "stamp") {
      model.stamped = true;
    } else if (part == "refuse") {
      model.refuses = true;
    } else if (part.starts_with("think")) {
      if (!take_thoughts(model, part)) return std::nullopt;
    } else if (part.starts_with("tool")) {
      if (!take_tool(model, part)) return std::nullopt;
    } else if (!take_counted(model, part) && !take_named(model, part)) {
      return std::nullopt;
    }
    if (dash == std::string_view::npos) break;
    name.remove_prefix(dash + 1);
  }
  if (model.fault == SimFault::slow_first) model.first = sim_slow_first;
  return model;
}

std::string_view fault_name(const SimModel& model) {
  switch (model.fault) {
    case SimFault::none:
      return "none";
    case SimFault::cut:
      return "cut";
    case SimFault::stall:
      return "stall";
    case SimFault::garbage:
      return "garbage";
    case SimFault::half_utf8:
      return "halfutf8";
    case SimFault::endless:
      return "endless";
    case SimFault::no_end:
      return "noend";
    case SimFault::in_band:
      return "error";
    case SimFault::slow_first:
      return "slowfirst";
    case SimFault::status:
      break;
  }
  switch (model.status) {
    case 400:
      return "400";
    case 401:
      return "401";
    case 429:
      return "429";
    case 500:
      return "500";
    default:
      return "503";
  }
}

}  // namespace millrace
