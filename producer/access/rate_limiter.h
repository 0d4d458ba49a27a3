#pragma once
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "shared/runtime/clock.h"
#include "shared/runtime/recently_used.h"
#include "shared/runtime/signal.h"
#include "shared/shared_cache.h"

namespace millrace::access {

/// So much of a rate is taken at once, for this loop to give away without asking again…
inline constexpr auto taken_ahead = 100ms;
/// …within this time.
inline constexpr auto good_for = 1s;
/// Buckets this loop remembers something of.
inline constexpr std::size_t buckets_remembered_max = 10'000;

/// Whether one more is allowed, and what is left.
struct Allowed {
  bool yes = true;
  double left = 0;     ///< of the burst, as far as this loop knows
  Duration next_in{};  ///< until one more is allowed; 0: now
  Duration full_in{};  ///< until the whole burst is
};

/// Rates kept by all edges together, through the SharedCache. A loop takes tokens for a tenth of a
/// second ahead and asks nobody while it has some; it asks nobody, either, while it knows that
/// there are none. So a rate may be overdrawn by nobody, and undershot by what a loop took and did
/// not use.
///
/// While the cache is away each loop keeps the rate by itself: requests go on, and a line in the
/// log says so. One a loop; cache and clock outlive it.
class RateLimiter {
 public:
  RateLimiter(SharedCache& cache, Clock& clock) : cache_(cache), clock_(clock) {}

  Task<Allowed> take(std::string bucket, TokenRate rate);

 private:
  struct Share {
    TokenRate rate;
    std::uint32_t own = 0;  ///< taken ahead
    double there = 0;       ///< left in the bucket when it was asked last
    Instant asked_at{};
    Instant good_until{};
    Instant none_until{};
    std::optional<TokenBucket> alone{};  ///< while the cache is away
    Instant alone_until{};
  };
  /// What can be said without asking; nothing: ask.
  std::optional<Allowed> at_once(Share& share);
  Share& share_of(const std::string& bucket, TokenRate rate);
  Allowed allowed(const Share& share, bool yes) const;
  Allowed alone(Share& share);
  Task<> ask(const std::string& bucket, TokenRate rate);
  void say_away(Errc error);

  SharedCache& cache_;
  Clock& clock_;
  RecentlyUsed<Share> shares_;
  /// Those that are being asked for, and who waits for the answer.
  std::unordered_map<std::string, std::shared_ptr<Signal>> asked_;
  bool away_ = false;
};

}  // namespace millrace::access
