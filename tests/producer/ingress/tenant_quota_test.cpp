#include "producer/ingress/tenant_quota.h"

#include "tests/producer/ingress/world.h"

namespace millrace::ingress_test {
namespace {

struct Quota : testing::Test {
  World w;
  TenantQuota quota{w.store, w.clock, 3};
  std::vector<TenantQuota::Place> places;

  bool enter(const std::string& tenant = "default") {
    std::optional<std::expected<TenantQuota::Place, Refusal>> answer;
    asio::co_spawn(w.loop, quota.enter(tenant),
                   [&](std::exception_ptr, auto said) { answer.emplace(std::move(said)); });
    while (!answer) w.clock.run_for(1ms);
    if (*answer) places.push_back(std::move(**answer));
    if (!*answer) refusal = answer->error();
    return answer->has_value();
  }
  void put(int number, JobState state, const std::string& tenant = "default") {
    StoredJob row;
    row.id.bytes[15] = static_cast<std::uint8_t>(number);
    row.tenant = tenant;
    row.state = state;
    w.store.rows[row.id] = row;
  }
  Refusal refusal;
};

TEST_F(Quota, LetsInUpToItsLimitAndSaysWhatToDoBeyondIt) {
  EXPECT_TRUE(enter() && enter() && enter());
  EXPECT_FALSE(enter());
  EXPECT_EQ(refusal.problem.status, 429);
  EXPECT_EQ(refusal.problem.code, "quota_exceeded");
  EXPECT_NE(refusal.problem.detail.find("has 3 jobs"), std::string::npos);
  EXPECT_GT(refusal.retry_after, 0s);
  EXPECT_TRUE(enter("other")) << "each tenant has its own";
}

TEST_F(Quota, CountsWhatTheStoreHasAndNoneThatHasEnded) {
  put(1, JobState::queued);
  put(2, JobState::running);
  put(3, JobState::succeeded);
  put(4, JobState::queued, "other");
  EXPECT_TRUE(enter());
  EXPECT_FALSE(enter());
}

TEST_F(Quota, WhatWasNotQueuedAfterAllGivesItsPlaceBack) {
  EXPECT_TRUE(enter() && enter() && enter());
  places.pop_back();
  EXPECT_TRUE(enter());
  EXPECT_FALSE(enter());
}

TEST_F(Quota, AnEndMakesRoomAtOnceOrAlmost) {
  for (int i = 1; i <= 3; ++i) put(i, JobState::running);
  EXPECT_FALSE(enter());
  put(1, JobState::succeeded);
  w.clock.run_for(20ms);
  EXPECT_TRUE(enter());
}

TEST_F(Quota, WhatIsNotedIsCountedOnceWhenTheStoreHasIt) {
  for (int i = 1; i <= 3; ++i) {
    EXPECT_TRUE(enter());
    put(i, JobState::queued);
    places.back().noted();
  }
  w.clock.run_for(2s);
  EXPECT_FALSE(enter());
  put(1, JobState::failed);
  w.clock.run_for(1s);
  EXPECT_TRUE(enter());
}

TEST_F(Quota, JobsThatEndAsFastAsTheyComeNeverFillIt) {
  for (int i = 1; i <= 20; ++i) {
    EXPECT_TRUE(enter());
    put(i, JobState::succeeded);
    places.back().noted();
  }
}

TEST_F(Quota, AStoreThatIsAwayStopsNobodyAndForgetsNothing) {
  EXPECT_TRUE(enter());
  w.store.fails = Errc::unavailable;
  w.clock.run_for(2s);
  EXPECT_TRUE(enter() && enter());
  EXPECT_FALSE(enter());
}

TEST_F(Quota, WithoutALimitTheStoreIsNotAsked) {
  TenantQuota none(w.store, w.clock, 0);
  w.store.fails = Errc::unavailable;
  bool in = false;
  asio::co_spawn(w.loop, none.enter("default"),
                 [&](std::exception_ptr, auto said) { in = said.has_value(); });
  w.clock.run_for(0s);
  EXPECT_TRUE(in);
}

}  // namespace
}  // namespace millrace::ingress_test
