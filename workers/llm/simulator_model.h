#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "shared/runtime/time.h"

namespace millrace {

/// What goes wrong, on purpose.
enum class SimFault : std::uint8_t {
  none,
  cut,         ///< the socket closes after token `at`
  stall,       ///< silence after token `at`, the socket open
  garbage,     ///< a data line that is no JSON after token `at`; the stream goes on and ends well
  half_utf8,   ///< the last token is half a character; the stream ends well
  endless,     ///< never finishes, whatever is asked for
  no_end,      ///< ends cleanly, but without finish_reason and [DONE]
  in_band,     ///< an error object in the stream after token `at`
  slow_first,  ///< the first token takes longer than anybody waits
  status       ///< the first `times` requests of a prompt or job are answered with `status`
};

/// What a model name asks for: `sim-` and parts in any order, `-` between them.
///
///     <n>ms  to the first token (50)      <n>tok  tokens in all (16)
///     <n>gap ms between tokens (10)       stamp   tokens say when they left: `@<monotonic ns>@ `
///     cutN  stall  stallN  garbage  halfutf8  endless  noend  errorN  slowfirst
///     thinkN  the first N tokens are reasoning    refuse  the others are a refusal
///     tool  toolN  (where the request has tools: calls one, or N, instead of words)
///     429xK  500xK  503xK (the first K requests)  400  401 (every request)
///
/// Tokens are counted from 1 at the very start of the answer, also where a request goes on after
/// a prefix: a fault at token N strikes the request that sends token N.
struct SimModel {
  Duration first = 50ms;
  std::uint32_t tokens = 16;
  Duration gap = 10ms;
  bool stamped = false;
  std::uint32_t thoughts = 0;  ///< of the tokens, the first: no part of the text
  bool refuses = false;
  std::uint32_t tool_calls = 0;  ///< instead of words, where the request has tools
  SimFault fault = SimFault::none;
  std::uint32_t at = 3;
  int status = 0;
  std::uint32_t times = 0;
};

inline constexpr std::uint32_t sim_tokens_max = 1'000'000;
inline constexpr std::uint32_t sim_tool_calls_max = 16;
inline constexpr auto sim_wait_max = 1h;
inline constexpr auto sim_slow_first = 10min;

/// Nothing for a name that is not of this grammar: it gets the default answer.
std::optional<SimModel> sim_model(std::string_view name);

/// The constant by which faults are counted (`cut`, `429`, …).
std::string_view fault_name(const SimModel& model);

}  // namespace millrace
