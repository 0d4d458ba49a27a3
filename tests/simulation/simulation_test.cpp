#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>

#include "shared/runtime/log.h"
#include "tests/simulation/run.h"

namespace millrace::sim {

void PrintTo(const Planted& bug, std::ostream* out) {
  *out << bug.what;
}

namespace {

void quietly() {
  log::open(log::Level::error, false);
}

TEST(Simulation, OneSeedIsOneRun) {
  quietly();
  const RunOptions all{.mistakes = {}, .events_kept = 0};
  for (const std::uint64_t seed : {1u, 14u, 54u, 474u, 1052u}) {
    const Report first = run_seed(seed, all);
    const Report second = run_seed(seed, all);
    ASSERT_GT(first.events, 50u);
    EXPECT_EQ(first.last_events, second.last_events) << "seed " << seed;
    EXPECT_EQ(first.hash, second.hash);
    EXPECT_EQ(first.steps, second.steps);
    EXPECT_EQ(first.took, second.took);
  }
}

TEST(Simulation, TwoSeedsAreTwoRuns) {
  quietly();
  EXPECT_NE(run_seed(1, {}).hash, run_seed(2, {}).hash);
}

struct Seeds {
  std::uint64_t from;
  std::uint64_t count;
};
void PrintTo(const Seeds& seeds, std::ostream* out) {
  *out << seeds.count << " from " << seeds.from;
}
std::string named(const testing::TestParamInfo<Seeds>& info) {
  return std::to_string(info.param.count) + "From" + std::to_string(info.param.from);
}
class Worlds : public testing::TestWithParam<Seeds> {};

TEST_P(Worlds, KeepEveryPromise) {
  quietly();
  const auto broken = first_broken(GetParam().from, GetParam().count, {});
  EXPECT_FALSE(broken.has_value()) << told(*broken, {});
}

// In parts, so that every core has some.
INSTANTIATE_TEST_SUITE_P(Simulated, Worlds, testing::Values(Seeds{0, 1000}, Seeds{1000, 1000}),
                         named);
INSTANTIATE_TEST_SUITE_P(SimulatedAtLength, Worlds,
                         testing::Values(Seeds{2000, 3000}, Seeds{5000, 3000}, Seeds{8000, 3000},
                                         Seeds{11'000, 3000}, Seeds{14'000, 3000},
                                         Seeds{17'000, 3000}),
                         named);

class PlantedBug : public testing::TestWithParam<Planted> {};

TEST_P(PlantedBug, IsFoundWithin2000Seeds) {
  quietly();
  RunOptions options;
  GetParam().plant(options.mistakes);
  EXPECT_TRUE(first_broken(0, 2000, options).has_value()) << GetParam().what;
}

std::string name_of(const testing::TestParamInfo<Planted>& info) {
  std::string name(info.param.name);
  std::ranges::replace(name, '-', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Simulated, PlantedBug,
                         testing::ValuesIn(all_planted().begin(), all_planted().end()), name_of);

}  // namespace
}  // namespace millrace::sim
