#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "shared/runtime/random.h"
#include "shared/runtime/time.h"

namespace millrace {

/// A job's name for life: a UUID (RFC 9562) of version 7 (time-ordered) or 8 (derived).
struct JobId {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const JobId&) const = default;

  std::string str() const;  ///< 36 characters, lower case
  void append_to(std::string& out) const;
  /// Only the 36-character form, any case.
  static std::optional<JobId> parse(std::string_view text);
};

/// A UUIDv7: rises with time, so a table keyed by it grows at its end.
JobId new_job_id(WallTime now, Random& random);

/// A UUIDv8 from SHA-256(tenant, key): the same pair always names the same job, so no mapping
/// from key to job is kept anywhere and none can be lost.
JobId derived_job_id(std::string_view tenant, std::string_view idempotency_key);

/// Lower-case hex of SHA-256; tells two request bodies apart.
std::string fingerprint(std::string_view bytes);

/// The epoch of one lease: 128 random bits, compared for equality only.
struct Token {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const Token&) const = default;
  std::string str() const;  ///< 32 hex digits
};
Token new_token(Random& random);

std::string to_hex(std::string_view bytes);

}  // namespace millrace

template <>
struct std::hash<millrace::JobId> {
  std::size_t operator()(const millrace::JobId& id) const noexcept {
    // The last eight bytes are random in both versions.
    std::uint64_t tail = 0;
    for (std::size_t i = 8; i < 16; ++i) tail = tail << 8 | id.bytes[i];
    return static_cast<std::size_t>(tail);
  }
};
