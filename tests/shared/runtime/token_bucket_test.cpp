#include "shared/runtime/token_bucket.h"

#include <gtest/gtest.h>

#include "shared/runtime/recently_used.h"

namespace millrace {
namespace {

constexpr Instant start{};

TEST(TokenRate, IsReadAsARateAndItsBurst) {
  const auto read = [](std::string_view text) { return TokenRate::parse(text); };
  EXPECT_EQ(read("10/s"), (TokenRate{10, 10}));
  EXPECT_EQ(read("10/s:50"), (TokenRate{10, 50}));
  EXPECT_EQ(read("600/min"), (TokenRate{10, 10}));
  EXPECT_EQ(read("30/min:5"), (TokenRate{0.5, 5}));
  EXPECT_EQ(read("1/min"), (TokenRate{1.0 / 60, 1})) << "a bucket holds one at least";
  EXPECT_EQ(read("0.5/s"), (TokenRate{0.5, 1}));
  for (const char* wrong : {"", "10", "/s", "10/", "10/week", "-1/s", "0/s", "10/s:", "10/s:0.5",
                            "10/s:0", "1e9/s", "10/s:1e3", " 10/s", "nan/s", "10/s:99999999"})
    EXPECT_EQ(read(wrong), std::nullopt) << wrong;
}

TEST(TokenRate, IsShownAsItIsRead) {
  for (const char* text : {"10/s:50", "1/min:1", "30/min:5", "1000000/s:1000000", "1/h:3"})
    EXPECT_EQ(TokenRate::parse(text).value().str(), text);
}

TEST(TokenBucket, GivesItsBurstThenItsRateToTheToken) {
  const TokenRate rate{.per_s = 10, .burst = 3};
  TokenBucket bucket(rate, start);
  EXPECT_EQ(bucket.take(rate, 2, start).taken, 2);
  EXPECT_EQ(bucket.take(rate, 2, start).taken, 1);
  const auto none = bucket.take(rate, 1, start + 40ms);
  EXPECT_EQ(none.taken, 0);
  EXPECT_NEAR(std::chrono::duration<double>(none.next_in).count(), 0.06, 1e-6);
  EXPECT_EQ(bucket.take(rate, 1, start + 40ms + none.next_in).taken, 1) << "when it says, it is";
  EXPECT_EQ(bucket.take(rate, 10, start + 1h).taken, 3);
}

TEST(TokenBucket, AClockThatStepsBackGivesNothing) {
  const TokenRate rate{.per_s = 10, .burst = 1};
  TokenBucket bucket(rate, start + 1h);
  EXPECT_EQ(bucket.take(rate, 1, start + 1h).taken, 1);
  EXPECT_EQ(bucket.take(rate, 1, start).taken, 0);
  EXPECT_EQ(bucket.take(rate, 1, start + 1h + 99ms).taken, 0);
  EXPECT_EQ(bucket.take(rate, 1, start + 1h + 101ms).taken, 1);
}

TEST(TokenBucket, SaysWhenItIsFull) {
  const TokenRate rate{.per_s = 2, .burst = 4};
  TokenBucket bucket(rate, start);
  EXPECT_EQ(bucket.full_at(rate), start);
  (void)bucket.take(rate, 3, start);
  EXPECT_EQ(bucket.full_at(rate), start + 1500ms);
}

TEST(RecentlyUsed, TheOldestUseIsKnown) {
  RecentlyUsed<int> used;
  for (int i = 0; i < 3; ++i) used.add(std::string(1, static_cast<char>('a' + i)), i);
  EXPECT_EQ(used.oldest().name, "a");
  EXPECT_EQ(*used.find("a"), 0);
  EXPECT_EQ(used.oldest().name, "b");
  used.erase("b");
  EXPECT_EQ(used.find("b"), nullptr);
  EXPECT_EQ(used.oldest().name, "c");
  EXPECT_EQ(used.size(), 2);
}

}  // namespace
}  // namespace millrace
