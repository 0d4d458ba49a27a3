#include "workers/webhooks/delivery_plan.h"

#include <gtest/gtest.h>

#include <vector>

namespace millrace {
namespace {

constexpr WallTime ended{std::chrono::sys_days(std::chrono::year(2026) / 3 / 1) + 12h};

WebhookTurn turn(std::uint32_t tries = 1) {
  WebhookTurn made;
  made.tries = tries;
  made.queued_at = ended;
  return made;
}

TEST(DeliveryPlan, EveryStatusInTheTwoHundredsIsDelivered) {
  for (int status : {200, 201, 202, 204, 299})
    EXPECT_EQ(after_try({.status = status}, turn(), ended, 0).state, DeliveryState::delivered);
  for (int status : {0, 100, 199, 300, 302, 307, 400, 404, 429, 500, 503})
    EXPECT_EQ(after_try({.status = status}, turn(), ended, 0).state, DeliveryState::pending);
}

TEST(DeliveryPlan, AReceiverThatIsGoneAndAnAddressThatMayNotBeAskedAreGivenUpAtOnce) {
  EXPECT_EQ(after_try({.status = 410}, turn(), ended, 0).state, DeliveryState::failed);
  EXPECT_EQ(after_try({.status = 0, .forbidden = true}, turn(), ended, 0).state,
            DeliveryState::failed);
}

TEST(DeliveryPlan, PausesDoubleUpToAnHourAQuarterMoreOrLess) {
  const auto pause = [](std::uint32_t tries, double jitter) {
    return after_try({.status = 500}, turn(tries), ended, jitter).next_at - ended;
  };
  EXPECT_EQ(pause(1, 0.5), 5s);
  EXPECT_EQ(pause(2, 0.5), 10s);
  EXPECT_EQ(pause(5, 0.5), 80s);
  EXPECT_EQ(pause(11, 0.5), 1h);
  EXPECT_EQ(pause(4'000'000'000, 0.5), 1h);
  EXPECT_EQ(pause(1, 0), 3750ms);
  EXPECT_LT(pause(1, 0.9999), 6250ms);
}

TEST(DeliveryPlan, AReceiverThatAsksForTimeGetsIt) {
  const auto next = [](int status, Duration asked) {
    return after_try({.status = status, .retry_after = asked}, turn(), ended, 0.5).next_at - ended;
  };
  EXPECT_EQ(next(429, 2h), 2h);
  EXPECT_EQ(next(503, 90s), 90s);
  EXPECT_EQ(next(503, 1s), 5s) << "the pause is longer";
  EXPECT_EQ(next(500, 2h), 5s) << "nobody asks so with 500";
  EXPECT_EQ(next(429, 400 * 24h), 24h) << "the day ends all the same";
}

TEST(DeliveryPlan, ADeadReceiverIsAskedForADayAndThenGivenUp) {
  for (const double jitter : {0.0, 0.5, 0.999}) {
    WallTime now = ended;
    std::vector<WallTime> tries;
    WebhookResult result;
    do {
      tries.push_back(now);
      result = after_try({}, turn(static_cast<std::uint32_t>(tries.size())), now, jitter);
      now = result.next_at;
    } while (result.state == DeliveryState::pending);
    EXPECT_EQ(result.state, DeliveryState::failed);
    EXPECT_EQ(tries.back(), ended + 24h) << "the last try is at the end of the day";
    EXPECT_GE(tries.size(), 25u);
    EXPECT_LE(tries.size(), 50u);
  }
}

TEST(DeliveryPlan, ADeliveryThatNobodyCouldTryForDaysIsTriedOnce) {
  EXPECT_EQ(after_try({.status = 200}, turn(), ended + 72h, 0).state, DeliveryState::delivered);
  EXPECT_EQ(after_try({.status = 500}, turn(), ended + 72h, 0).state, DeliveryState::failed);
}

}  // namespace
}  // namespace millrace
