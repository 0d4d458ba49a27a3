#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shared/runtime/time.h"

namespace millrace {

/// How fast a bucket fills, and how much it holds: `per_s` above 0, `burst` at least 1.
struct TokenRate {
  double per_s = 1;
  double burst = 1;
  bool operator==(const TokenRate&) const = default;

  /// Reads `10/s`, `600/min` or `1000/h`, with the burst behind a colon (`10/s:50`); without one a
  /// second's worth, at least 1. Nothing for anything else, and outside 1 a day to 1,000,000/s.
  static std::optional<TokenRate> parse(std::string_view text);
  /// In the same form.
  std::string str() const;
};

struct TokensTaken {
  std::uint32_t taken = 0;  ///< at most what was asked for
  double left = 0;          ///< in the bucket now
  Duration next_in{};       ///< until a whole token is there; 0: there is one
};

/// The token bucket (RFC 2697 calls it a meter): full at first, filled steadily, emptied by those
/// who take.
class TokenBucket {
 public:
  explicit TokenBucket(TokenRate rate, Instant now) : tokens_(rate.burst), at_(now) {}

  TokensTaken take(TokenRate rate, std::uint32_t wanted, Instant now);
  /// When it is full again if nobody takes.
  Instant full_at(TokenRate rate) const;

 private:
  double tokens_;
  Instant at_;
};

}  // namespace millrace
