#include "shared/runtime/rate_window.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(RateWindow, IsTheRiseOverTheLastMinute) {
  RateWindow rate;
  for (int second = 0; second <= 100; ++second) {
    rate.add(Instant(std::chrono::seconds(second)), second < 40 ? 0 : (second - 40) * 7);
  }
  EXPECT_DOUBLE_EQ(rate.per_second(), 7.0);
}

TEST(RateWindow, IsUnknownForTheFirstSecondsAndAfterAFall) {
  RateWindow rate;
  EXPECT_EQ(rate.per_second(), 0);
  rate.add(Instant(0s), 100);
  rate.add(Instant(4s), 200);
  EXPECT_EQ(rate.per_second(), 0);
  rate.add(Instant(6s), 10);
  EXPECT_EQ(rate.per_second(), 0);
}

}  // namespace
}  // namespace millrace
