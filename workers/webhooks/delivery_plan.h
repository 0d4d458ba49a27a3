#pragma once
#include <optional>
#include <string>

#include "shared/webhooks.h"

namespace millrace {

/// How one try went, as far as it decides what follows.
struct TriedDelivery {
  int status = 0;          ///< 0: no answer
  bool forbidden = false;  ///< the host has no address that may be asked
  std::optional<Duration> retry_after{};
};

/// Within a day of its job's end, or of the wish to deliver again, a delivery is tried again.
inline constexpr auto deliver_for = 24h;
inline constexpr auto deliver_again_first = 5s;
inline constexpr auto deliver_again_max = 1h;

/// What follows. 2xx: delivered. 410 (Gone), or an address that may not be asked: failed, at once.
/// Else it is tried again: after 5 s, then twice as long each time, up to an hour, a quarter more
/// or less by `jitter` (in [0, 1)); not before what `Retry-After` says with 429 or 503; for the
/// last time when the day is over. Pure.
WebhookResult after_try(const TriedDelivery& tried, const WebhookTurn& turn, WallTime now,
                        double jitter);

}  // namespace millrace
