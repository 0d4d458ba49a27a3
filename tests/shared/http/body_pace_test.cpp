#include "shared/http/body_pace.h"

#include <gtest/gtest.h>

namespace millrace::http {
namespace {

/// Takes a piece every `every` until all is there or its time is up; how long that took, and
/// whether all was there.
struct Upload {
  bool whole = false;
  Duration took{};
};

Upload upload(std::size_t bytes, std::size_t piece, Duration every) {
  const ServerTimes times;
  const Instant began{};
  const BodyPace pace(times, began);
  Instant now = began;
  for (std::size_t there = 0; there < bytes; there += piece) {
    const Instant deadline = pace.deadline(there, now);
    now += every;
    if (now > deadline) return {.whole = false, .took = deadline - began};
  }
  return {.whole = true, .took = now - began};
}

TEST(BodyPace, ADripEndsThoughNoPauseIsLong) {
  const auto drip = upload(8 << 20, 1, 29s);
  EXPECT_FALSE(drip.whole);
  EXPECT_LE(drip.took, ServerTimes{}.body_grace + 1s);
  const auto faster = upload(8 << 20, 100, 1s);
  EXPECT_FALSE(faster.whole);
  EXPECT_LE(faster.took, ServerTimes{}.body_grace * 2);
}

TEST(BodyPace, ALargeBodyOverAThinLineHasItsTime) {
  const auto slow = upload(8 << 20, 1500, 1s);
  EXPECT_TRUE(slow.whole);
  EXPECT_GE(slow.took, 1h);
}

TEST(BodyPace, APauseEndsItHoweverFastItWas) {
  const auto paused = upload(8 << 20, 1 << 20, ServerTimes{}.body_idle + 1s);
  EXPECT_FALSE(paused.whole);
  EXPECT_EQ(paused.took, ServerTimes{}.body_idle);
}

TEST(BodyPace, ASmallBodyHasTheGraceWhole) {
  EXPECT_TRUE(upload(100, 10, 2s).whole);
}

}  // namespace
}  // namespace millrace::http
