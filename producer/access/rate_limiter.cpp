#include "producer/access/rate_limiter.h"

#include <algorithm>
#include <cmath>

#include "shared/runtime/limits.h"
#include "shared/runtime/log.h"

namespace millrace::access {
namespace {

/// How long a loop keeps a rate by itself before it asks the cache again.
constexpr Duration alone_for = 1s;

Duration seconds(double count) {
  return std::chrono::ceil<Duration>(std::chrono::duration<double>(std::max(0.0, count)));
}

std::uint32_t wanted_at_once(TokenRate rate) {
  const double ahead = rate.per_s * std::chrono::duration<double>(taken_ahead).count();
  return static_cast<std::uint32_t>(std::clamp(std::floor(ahead), 1.0, rate.burst));
}

}  // namespace

Task<Allowed> RateLimiter::take(std::string bucket, TokenRate rate) {
  for (;;) {
    if (const auto said = at_once(share_of(bucket, rate))) co_return *said;
    const auto asking = asked_.find(bucket);
    if (asking == asked_.end()) {
      co_await ask(bucket, rate);
      continue;
    }
    const auto answered = asking->second;
    (void)co_await answered->wait_until(clock_.now() + limits::log_command_timeout);
  }
}

RateLimiter::Share& RateLimiter::share_of(const std::string& bucket, TokenRate rate) {
  auto* share = shares_.find(bucket);
  if (!share) {
    share = &shares_.add(bucket, Share{.rate = rate});
    while (shares_.size() > buckets_remembered_max) {
      const std::string oldest = shares_.oldest().name;
      shares_.erase(oldest);
    }
  }
  if (share->rate != rate) *share = Share{.rate = rate};
  return *share;
}

std::optional<Allowed> RateLimiter::at_once(Share& share) {
  const Instant now = clock_.now();
  if (now < share.alone_until) return alone(share);
  if (share.own > 0 && now < share.good_until) {
    --share.own;
    return allowed(share, true);
  }
  if (now < share.none_until) return allowed(share, false);
  return std::nullopt;
}

Allowed RateLimiter::allowed(const Share& share, bool yes) const {
  const Instant now = clock_.now();
  const double since = std::chrono::duration<double>(now - share.asked_at).count();
  Allowed out;
  out.yes = yes;
  out.left = std::min(share.rate.burst, share.own + share.there + since * share.rate.per_s);
  out.next_in = std::max(share.none_until - now, Duration{});
  out.full_in = seconds((share.rate.burst - out.left) / share.rate.per_s);
  return out;
}

Allowed RateLimiter::alone(Share& share) {
  const Instant now = clock_.now();
  if (!share.alone) share.alone.emplace(share.rate, now);
  const auto taken = share.alone->take(share.rate, 1, now);
  return {.yes = taken.taken > 0,
          .left = taken.left,
          .next_in = taken.next_in,
          .full_in = std::max(share.alone->full_at(share.rate) - now, Duration{})};
}

/// Afterwards something can be said at once, or another has used up what was taken.
Task<> RateLimiter::ask(const std::string& bucket, TokenRate rate) {
  /// Whoever waits must hear of the end, whatever it is.
  struct Asking {
    RateLimiter& self;
    const std::string& bucket;
    ~Asking() {
      const auto node = self.asked_.extract(bucket);
      node.mapped()->notify();
    }
  };
  asked_.emplace(bucket, std::make_shared<Signal>(clock_));
  const Asking asking{*this, bucket};
  const auto taken = co_await cache_.take(bucket, rate, wanted_at_once(rate));
  Share& share = share_of(bucket, rate);
  const Instant now = clock_.now();
  if (!taken) {
    say_away(taken.error());
    share.alone_until = now + alone_for;
    co_return;
  }
  if (std::exchange(away_, false)) log::info("rate_limits_shared_again", {});
  share.alone.reset();
  share.alone_until = Instant{};
  share.own = taken->taken;
  share.there = taken->left;
  share.asked_at = now;
  share.good_until = now + good_for;
  share.none_until = taken->taken > 0 ? Instant{} : now + taken->next_in;
}

void RateLimiter::say_away(Errc error) {
  if (std::exchange(away_, true)) return;
  log::warn("rate_limits_not_shared",
            {{"error", to_string(error)},
             {"meanwhile", "each loop of each edge keeps the rates by itself"}});
}

}  // namespace millrace::access
