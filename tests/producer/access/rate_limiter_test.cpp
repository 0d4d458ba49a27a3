#include "producer/access/rate_limiter.h"

#include "tests/producer/access/world.h"

namespace millrace::access {
namespace {

struct Limiter : test::World {
  int allowed_of(int tries, TokenRate rate, RateLimiter& by) {
    int allowed = 0;
    for (int i = 0; i < tries; ++i) allowed += get(by.take("t/b", rate)).yes ? 1 : 0;
    return allowed;
  }
  int allowed_of(int tries, TokenRate rate) { return allowed_of(tries, rate, limiter); }
};

TEST_F(Limiter, AllowsTheBurstThenTheRateAndSaysWhenTheNextIs) {
  const TokenRate rate{.per_s = 2, .burst = 5};
  EXPECT_EQ(allowed_of(7, rate), 5);
  const auto refused = get(limiter.take("t/b", rate));
  EXPECT_FALSE(refused.yes);
  EXPECT_GT(refused.next_in, 400ms);
  EXPECT_LE(refused.next_in, 500ms);
  EXPECT_LE(refused.full_in, 2500ms);
  clock.run_for(refused.next_in);
  EXPECT_EQ(allowed_of(2, rate), 1) << "when it says, it is";
  clock.run_for(10s);
  EXPECT_EQ(allowed_of(7, rate), 5);
}

TEST_F(Limiter, TellsWhatIsLeft) {
  const TokenRate rate{.per_s = 0.01, .burst = 3};
  for (const double left : {2, 1, 0}) EXPECT_NEAR(get(limiter.take("t/b", rate)).left, left, 0.01);
}

TEST_F(Limiter, AsksTheCacheForATenthOfASecondAtOnce) {
  const TokenRate rate{.per_s = 1000, .burst = 1000};
  EXPECT_EQ(allowed_of(500, rate), 500);
  EXPECT_EQ(cache.asked, 5);
}

TEST_F(Limiter, AsksNobodyWhileItKnowsThatThereIsNone) {
  const TokenRate rate{.per_s = 1, .burst = 1};
  EXPECT_EQ(allowed_of(1000, rate), 1);
  EXPECT_EQ(cache.asked, 2);
}

TEST_F(Limiter, TheLoopsOfAllEdgesShareOneRate) {
  RateLimiter other(cache, clock);
  const TokenRate rate{.per_s = 100, .burst = 100};
  const int first = allowed_of(70, rate);
  EXPECT_EQ(first + allowed_of(70, rate, other), 100);
}

TEST_F(Limiter, WhatWasTakenAheadIsGoodForASecond) {
  const TokenRate rate{.per_s = 100, .burst = 100};
  EXPECT_EQ(allowed_of(1, rate), 1);
  clock.run_for(good_for);
  EXPECT_EQ(allowed_of(1, rate), 1);
  EXPECT_EQ(cache.asked, 2);
}

TEST_F(Limiter, WithoutTheCacheTheLoopKeepsTheRateByItself) {
  cache.away = true;
  const TokenRate rate{.per_s = 2, .burst = 4};
  EXPECT_EQ(allowed_of(10, rate), 4);
  clock.run_for(900ms);
  EXPECT_EQ(allowed_of(10, rate), 1);
  EXPECT_EQ(cache.asked, 1) << "and does not wait for it each time";
  cache.away = false;
  clock.run_for(1s);
  EXPECT_EQ(allowed_of(10, rate), 4) << "the shared bucket was never touched";
  EXPECT_EQ(cache.asked, 6);
}

TEST_F(Limiter, ARateThatChangesCountsAtOnce) {
  EXPECT_EQ(allowed_of(3, {.per_s = 0.01, .burst = 1}), 1);
  EXPECT_EQ(allowed_of(3, {.per_s = 100, .burst = 50}), 0) << "the bucket is as empty as it was";
  clock.run_for(1s);
  EXPECT_EQ(allowed_of(60, {.per_s = 100, .burst = 50}), 50);
}

TEST_F(Limiter, RemembersABoundedNumberOfBuckets) {
  const TokenRate rate{.per_s = 0.001, .burst = 1};
  for (std::size_t i = 0; i < buckets_remembered_max + 10; ++i)
    EXPECT_TRUE(get(limiter.take("t/" + std::to_string(i), rate)).yes);
  EXPECT_FALSE(get(limiter.take("t/0", rate)).yes) << "what it forgot the cache remembers";
}

TEST_F(Limiter, ManyWhoAskAtOnceAreOneQuestion) {
  const TokenRate rate{.per_s = 1000, .burst = 1000};
  int yes = 0;
  for (int i = 0; i < 100; ++i)
    asio::co_spawn(loop, limiter.take("t/b", rate),
                   [&yes](std::exception_ptr, Allowed allowed) { yes += allowed.yes ? 1 : 0; });
  clock.run_for(0s);
  EXPECT_EQ(yes, 100);
  EXPECT_EQ(cache.asked, 1);
}

}  // namespace
}  // namespace millrace::access
