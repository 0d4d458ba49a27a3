#include "workers/webhooks/delivery_plan.h"

#include <algorithm>

namespace millrace {
namespace {

using std::chrono::milliseconds;

milliseconds wait_before_next(std::uint32_t tries, double jitter) {
  const auto doubled = deliver_again_first * (1u << std::min(tries - 1, 16u));
  const milliseconds full = std::min<milliseconds>(doubled, deliver_again_max);
  return milliseconds(
      static_cast<std::int64_t>(static_cast<double>(full.count()) * (0.75 + jitter / 2)));
}

}  // namespace

WebhookResult after_try(const TriedDelivery& tried, const WebhookTurn& turn, WallTime now,
                        double jitter) {
  if (tried.status >= 200 && tried.status < 300)
    return {.state = DeliveryState::delivered, .next_at = {}};
  const WallTime last = turn.queued_at + deliver_for;
  if (tried.status == 410 || tried.forbidden || now >= last)
    return {.state = DeliveryState::failed, .next_at = {}};
  WallTime next = now + wait_before_next(std::max(turn.tries, 1u), jitter);
  const bool asked_to_wait = tried.status == 429 || tried.status == 503;
  if (asked_to_wait && tried.retry_after)
    next = std::max(next, now + std::chrono::ceil<milliseconds>(
                                    std::min<Duration>(*tried.retry_after, deliver_for)));
  return {.state = DeliveryState::pending, .next_at = std::min(next, last)};
}

}  // namespace millrace
