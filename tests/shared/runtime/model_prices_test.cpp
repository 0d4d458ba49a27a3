#include "shared/runtime/model_prices.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

std::string cost(std::string_view list, std::string_view model, std::uint64_t prompt,
                 std::uint64_t completion) {
  const auto prices = ModelPrices::read(list);
  if (!prices) return "the list is refused";
  return prices->cost(model, prompt, completion).value_or("none");
}

TEST(ModelPrices, AreOfAMillionTokensAndExact) {
  EXPECT_EQ(cost("m=2.50/10", "m", 1'000'000, 1'000'000), "12.5");
  EXPECT_EQ(cost("m=2.50/10", "m", 5, 3), "0.0000425");
  EXPECT_EQ(cost("m=0.1/0.2", "m", 1, 1), "0.0000003") << "which doubles do not add up to";
  EXPECT_EQ(cost("m=0.000001/0", "m", 1, 9), "0.000000000001");
  EXPECT_EQ(cost("m=0.15/0.6", "m", 0, 0), "0");
  EXPECT_EQ(cost("m=1000000/0", "m", 3'000'000, 0), "3000000");
}

TEST(ModelPrices, AModelWithoutAPriceHasNoCost) {
  EXPECT_EQ(cost("gpt-4=30/60", "gpt-4o", 1, 1), "none") << "another model, not a kind of it";
  EXPECT_EQ(cost("", "m", 1, 1), "none");
  EXPECT_EQ(cost("*=1/1", "", 1, 1), "none") << "nobody knows who answered";
}

TEST(ModelPrices, TheNarrowestNameWins) {
  const auto list = "*=1/0, gpt-4*=2/0, gpt-4o*=3/0, gpt-4o=4/0, a/b:free=0/0";
  EXPECT_EQ(cost(list, "other", 1'000'000, 0), "1");
  EXPECT_EQ(cost(list, "gpt-4-0613", 1'000'000, 0), "2");
  EXPECT_EQ(cost(list, "gpt-4o-mini", 1'000'000, 0), "3");
  EXPECT_EQ(cost(list, "gpt-4o", 1'000'000, 0), "4");
  EXPECT_EQ(cost(list, "a/b:free", 1'000'000, 7), "0");
}

TEST(ModelPrices, WhatCannotBeCountedHasNoCost) {
  EXPECT_EQ(cost("m=1000000/1000000", "m", ~0ull, 0), "none");
  EXPECT_EQ(cost("m=1000000/1000000", "m", 10'000'000, 10'000'000), "none");
}

TEST(ModelPrices, AListIsShownInOneForm) {
  EXPECT_EQ(ModelPrices::read(" b = 2.50 / 10.000000 ,a=1/0,").value().str(), "a=1/0, b=2.5/10");
  EXPECT_EQ(ModelPrices::read("")->str(), "");
}

TEST(ModelPrices, WhatIsNoListIsRefused) {
  for (const auto* wrong : {"m", "m=1", "m=1/", "m=/1", "=1/1", "m=1/1,,n=1/1", "m=1/1,m=2/2",
                            "m=-1/1", "m=1e3/1", "m=1./1", "m=.5/1", "m=0.1234567/1",
                            "m=1000000.000001/1", "m=10000000/1", "m=1/1/1", "m=1,5/1"})
    EXPECT_FALSE(ModelPrices::read(wrong)) << wrong;
}

}  // namespace
}  // namespace millrace
