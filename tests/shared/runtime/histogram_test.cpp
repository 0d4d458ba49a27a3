#include "shared/runtime/histogram.h"

#include <gtest/gtest.h>

#include <array>
#include <thread>

namespace millrace {
namespace {

constexpr std::array bounds{1.0, 2.0, 4.0};

TEST(Histogram, CountsEachValueUpToEveryBoundThatHoldsIt) {
  Histogram histogram(bounds);
  for (const double value : {0.5, 1.0, 1.5, 4.0, 9.0}) histogram.observe(value);
  const auto reading = histogram.read();
  ASSERT_EQ(reading.buckets.size(), 3u);
  EXPECT_EQ(reading.buckets[0].up_to, 2u) << "a bound belongs to its bucket";
  EXPECT_EQ(reading.buckets[1].up_to, 3u);
  EXPECT_EQ(reading.buckets[2].up_to, 4u);
  EXPECT_EQ(reading.count, 5u);
  EXPECT_DOUBLE_EQ(reading.sum, 16);
}

TEST(Histogram, TakesTimesInSeconds) {
  Histogram histogram(bounds);
  histogram.observe(Duration(1500ms));
  EXPECT_EQ(histogram.read().buckets[0].up_to, 0u);
  EXPECT_EQ(histogram.read().buckets[1].up_to, 1u);
  EXPECT_DOUBLE_EQ(histogram.read().sum, 1.5);
}

TEST(Histogram, LosesNothingBetweenThreads) {
  Histogram histogram(bounds);
  const auto use = [&] {
    for (int i = 0; i < 10'000; ++i) histogram.observe(2.0);
  };
  {
    const std::jthread first(use);
    const std::jthread second(use);
  }
  EXPECT_EQ(histogram.read().count, 20'000u);
  EXPECT_DOUBLE_EQ(histogram.read().sum, 40'000);
}

}  // namespace
}  // namespace millrace
