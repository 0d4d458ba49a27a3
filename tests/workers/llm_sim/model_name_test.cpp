#include <gtest/gtest.h>

#include "workers/llm/simulator_model.h"

namespace millrace {
namespace {

TEST(SimModelName, TakesItsPartsInAnyOrder) {
  for (const char* name : {"sim-7ms-30tok-5gap-cut12", "sim-cut12-5gap-30tok-7ms"}) {
    const auto model = sim_model(name);
    ASSERT_TRUE(model) << name;
    EXPECT_EQ(model->first, 7ms);
    EXPECT_EQ(model->tokens, 30u);
    EXPECT_EQ(model->gap, 5ms);
    EXPECT_EQ(model->fault, SimFault::cut);
    EXPECT_EQ(model->at, 12u);
  }
}

TEST(SimModelName, LeavesOutWhatIsNotSaid) {
  const auto model = sim_model("sim-stamp");
  ASSERT_TRUE(model);
  EXPECT_TRUE(model->stamped);
  EXPECT_EQ(model->fault, SimFault::none);
  EXPECT_GT(model->tokens, 0u);
}

TEST(SimModelName, SaysHowManyToolsAreCalled) {
  EXPECT_EQ(sim_model("sim-5ms-tool")->tool_calls, 1u);
  EXPECT_EQ(sim_model("sim-tool3-5ms")->tool_calls, 3u);
  EXPECT_EQ(sim_model("sim-5ms")->tool_calls, 0u);
  for (const char* name : {"sim-tool0", "sim-tool99", "sim-toolx", "sim-tools"})
    EXPECT_FALSE(sim_model(name)) << name;
}

TEST(SimModelName, SaysWhatIsToldBesideTheText) {
  EXPECT_EQ(sim_model("sim-5ms-think3")->thoughts, 3u);
  EXPECT_TRUE(sim_model("sim-refuse-5ms")->refuses);
  for (const char* name : {"sim-think", "sim-think0", "sim-thinkx", "sim-refuse2"})
    EXPECT_FALSE(sim_model(name)) << name;
}

TEST(SimModelName, KnowsEveryFault) {
  for (const char* part : {"cut3", "stall", "stall9", "garbage", "halfutf8", "endless", "noend",
                           "error5", "slowfirst", "429x2", "500x1", "503x10", "400", "401"}) {
    const auto model = sim_model("sim-5ms-" + std::string(part));
    ASSERT_TRUE(model) << part;
    EXPECT_TRUE(std::string_view(part).starts_with(fault_name(*model))) << part;
  }
}

TEST(SimModelName, AnythingElseIsNoNameOfThisGrammar) {
  for (const char* name : {"",
                           "sim",
                           "sim-",
                           "gpt-4o",
                           "sim-5",
                           "sim-5ms-",
                           "sim-5ms--3tok",
                           "sim-0tok",
                           "sim-cut",
                           "sim-error",
                           "sim-cutx",
                           "sim-cut3x",
                           "sim-garbage3",
                           "sim-429",
                           "sim-404x1",
                           "sim-429x",
                           "sim-2000000tok",
                           "sim-99999999999ms",
                           "sim-4000000gap",
                           "SIM-5ms",
                           "sim--5ms"})
    EXPECT_FALSE(sim_model(name)) << name;
}

}  // namespace
}  // namespace millrace
