#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace millrace {
using namespace std::chrono_literals;

/// A point on this process's monotonic clock; meaningless to any other process.
using Instant = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

/// A point in UTC, milliseconds since 1970. May jump; never used to measure.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

/// RFC 3339 in UTC with milliseconds: `2026-01-31T09:30:00.123Z` (24 bytes, years 1970-9999).
std::string to_rfc3339(WallTime when);
void append_rfc3339(std::string& out, WallTime when);

/// Reads RFC 3339 with any offset and any number of fraction digits; nothing on anything else.
std::optional<WallTime> from_rfc3339(std::string_view text);

}  // namespace millrace
