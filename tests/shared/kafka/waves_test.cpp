#include "shared/kafka/waves.h"

#include <gtest/gtest.h>

#include <deque>

#include "shared/kafka/send.h"

namespace millrace::kafka {
namespace {

constexpr Duration patience = 5ms;

struct WavesTest : testing::Test {
  Send* send() { return &sends.emplace_back(loop); }
  Record record(std::string value, Instant leave_by) {
    return {.send = send(),
            .topic = "t",
            .key = "k",
            .value = std::move(value),
            .headers = {},
            .leave_by = leave_by};
  }
  bool add(std::string value = "v", Duration may_wait = {}) {
    Record one = record(std::move(value), now + may_wait);
    return waves.add(one);
  }

  asio::io_context loop{1};
  std::deque<Send> sends;
  Waves waves{patience, 100};
  Instant now{};
};

TEST_F(WavesTest, ARecordAloneLeavesAtOnce) {
  EXPECT_TRUE(waves.next(now).empty());
  ASSERT_TRUE(add());
  EXPECT_EQ(waves.next(now).size(), 1u);
  EXPECT_FALSE(waves.any_waiting());
}

TEST_F(WavesTest, WhatComesWhileAWaveIsOnItsWayLeavesTogetherInItsOrder) {
  add();
  const auto first = waves.next(now);
  for (const auto* value : {"a", "b", "c"}) add(value);
  EXPECT_TRUE(waves.next(now).empty());
  EXPECT_TRUE(waves.any_waiting());
  waves.ended(first.front().send->wave);
  const auto second = waves.next(now);
  ASSERT_EQ(second.size(), 3u);
  EXPECT_EQ(second[0].value, "a");
  EXPECT_EQ(second[2].value, "c");
}

TEST_F(WavesTest, RecordsThatMayWaitLeaveTogetherWhenTheFirstMayNoLonger) {
  add("a", 20ms);
  now += 15ms;
  add("b", 20ms);
  EXPECT_TRUE(waves.next(now).empty());
  EXPECT_EQ(waves.leave_by(), Instant{} + 20ms);
  EXPECT_EQ(waves.next(waves.leave_by()).size(), 2u);
}

TEST_F(WavesTest, ARecordThatMayNotWaitTakesThoseThatMayAlong) {
  add("may wait", 20ms);
  add("may not");
  EXPECT_EQ(waves.next(now).size(), 2u);
  add("may wait", 20ms);
  EXPECT_TRUE(waves.next(now + patience).empty());
}

TEST_F(WavesTest, AWaveEndsWithItsLastRecord) {
  add();
  add();
  const auto first = waves.next(now);
  add();
  waves.ended(first[1].send->wave);
  EXPECT_TRUE(waves.next(now).empty());
  waves.ended(first[0].send->wave);
  EXPECT_EQ(waves.next(now).size(), 1u);
}

TEST_F(WavesTest, ASlowBrokerHoldsBackTheNextWaveForItsPatienceOnly) {
  add();
  const auto slow = waves.next(now);
  add();
  EXPECT_TRUE(waves.next(now + patience - 1ns).empty());
  const auto second = waves.next(now + patience);
  ASSERT_EQ(second.size(), 1u);
  add();
  waves.ended(slow.front().send->wave);  // of a wave that is no longer waited for
  EXPECT_TRUE(waves.next(now + patience).empty());
  waves.ended(second.front().send->wave);
  EXPECT_EQ(waves.next(now + patience).size(), 1u);
}

TEST_F(WavesTest, MoreThanItsBytesIsRefusedAndLeftAsItWas) {
  ASSERT_TRUE(add(std::string(98, 'x')));
  Record more = record("v", now);
  EXPECT_FALSE(waves.add(more));
  EXPECT_EQ(more.value, "v");
  ASSERT_EQ(waves.next(now).size(), 1u);
  EXPECT_TRUE(waves.add(more));
}

}  // namespace
}  // namespace millrace::kafka
