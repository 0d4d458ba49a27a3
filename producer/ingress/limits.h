#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "shared/runtime/limits.h"

/// Bounds of the way in, with their units, and how they hang together.
namespace millrace::ingress_limits {

/// An input that holds at most so much JSON is written anew where escapes make it longer than it
/// need be (\uXXXX takes six bytes of one to three): it may fit the envelope then.
inline constexpr std::size_t rewritten_input_bytes_max = 6 * limits::input_bytes_max;
/// Inputs on their way to the objects, of one loop; above: 503.
inline constexpr std::size_t oversize_inputs_bytes_max = 64 * 1024 * 1024;
static_assert(oversize_inputs_bytes_max >= 4 * limits::body_bytes_max,
              "no large input may hold up all others");

/// Of JSON: what goes to the model's server beside the messages, in the envelope with them.
inline constexpr std::size_t params_bytes_max = 256 * 1024;
inline constexpr std::int64_t max_tokens_max = 131'072;
inline constexpr double temperature_max = 2;
inline constexpr std::size_t idempotency_key_bytes_max = 255;

/// Requests between their validation and their answer, a loop.
inline constexpr std::size_t accepts_at_once_max = 10'000;
/// Lines of one NDJSON request on their way at once.
inline constexpr std::size_t ndjson_lines_at_once = 64;
static_assert(ndjson_lines_at_once < accepts_at_once_max / 100,
              "one batch must not use up what all clients share");

/// With the log away a 202 waits for the job's row, looked for so often and at most so long.
inline constexpr auto note_look_every = std::chrono::milliseconds(10);
inline constexpr auto note_wait_max = std::chrono::seconds(1);

inline constexpr std::uint32_t list_limit_default = 20;
inline constexpr std::uint32_t list_limit_max = 100;

/// How often a wait for a job's end asks, beside listening: news may get lost.
inline constexpr auto end_check_every = std::chrono::seconds(1);

// What `Retry-After` says.
inline constexpr auto retry_after_outage = std::chrono::seconds(2);
inline constexpr auto retry_after_full_disk = std::chrono::seconds(10);  // somebody has to act
inline constexpr auto retry_after_overload = std::chrono::seconds(1);
inline constexpr auto retry_after_full_session = std::chrono::seconds(5);

}  // namespace millrace::ingress_limits
