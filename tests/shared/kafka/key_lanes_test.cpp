#include "shared/kafka/key_lanes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "shared/kafka/partition.h"

namespace millrace::kafka {
namespace {

Item item(std::uint64_t handle, std::string key, std::shared_ptr<Partition> partition = {}) {
  Item made;
  made.handle = handle;
  made.key = std::move(key);
  made.partition = std::move(partition);
  return made;
}

std::vector<std::uint64_t> take_all(KeyLanes& lanes) {
  std::vector<std::uint64_t> handles;
  while (const Item* taken = lanes.take()) handles.push_back(taken->handle);
  return handles;
}

TEST(KeyLanes, OneOfAKeyAtATimeOthersAtOnce) {
  KeyLanes lanes;
  lanes.add(item(1, "a"));
  lanes.add(item(2, "a"));
  lanes.add(item(3, "b"));
  EXPECT_EQ(take_all(lanes), (std::vector<std::uint64_t>{1, 3}));
  lanes.finish(3);
  EXPECT_TRUE(take_all(lanes).empty());
  lanes.finish(1);
  EXPECT_EQ(take_all(lanes), (std::vector<std::uint64_t>{2}));
}

TEST(KeyLanes, ARecordPutOffHoldsBackItsKeyAloneAndComesFirstAgain) {
  KeyLanes lanes;
  const Instant now{};
  lanes.add(item(1, "a"));
  lanes.add(item(2, "a"));
  lanes.add(item(3, "b"));
  take_all(lanes);
  lanes.put_off(1, now + 5s);
  lanes.finish(3);
  EXPECT_EQ(lanes.wake(now + 4s), now + 5s);
  EXPECT_TRUE(take_all(lanes).empty());
  EXPECT_EQ(lanes.wake(now + 5s), Instant::max());
  EXPECT_EQ(take_all(lanes), (std::vector<std::uint64_t>{1}));
}

TEST(KeyLanes, FinishingTwiceOrAStrangerIsNothing) {
  KeyLanes lanes;
  lanes.add(item(1, "a"));
  take_all(lanes);
  lanes.finish(1);
  lanes.finish(1);
  lanes.finish(99);
  lanes.put_off(1, Instant{});
  EXPECT_EQ(lanes.bytes(), 0u);
  EXPECT_EQ(lanes.in_flight_count(), 0u);
}

TEST(KeyLanes, ForgetsWhatWaitsOfAPartitionButNotWhatRuns) {
  KeyLanes lanes;
  const auto lost = std::make_shared<Partition>();
  const auto kept = std::make_shared<Partition>();
  lanes.add(item(1, "a", lost));
  lanes.add(item(2, "a", lost));
  lanes.add(item(3, "b", kept));
  lanes.add(item(4, "c", lost));
  ASSERT_EQ(lanes.take()->handle, 1u);
  lanes.forget(lost.get());
  EXPECT_EQ(take_all(lanes), (std::vector<std::uint64_t>{3}));
  EXPECT_NE(lanes.in_flight(1), nullptr);
  lanes.finish(1);
  lanes.finish(3);
  EXPECT_TRUE(take_all(lanes).empty());
  EXPECT_EQ(lanes.bytes(), 0u);
}

TEST(KeyLanes, ForgetsWhatWaitsForItsTime) {
  KeyLanes lanes;
  const auto lost = std::make_shared<Partition>();
  lanes.add(item(1, "a", lost));
  lanes.add(item(2, "a", lost));
  lanes.take();
  lanes.put_off(1, Instant{} + 1s);
  lanes.forget(lost.get());
  EXPECT_EQ(lanes.wake(Instant{} + 2s), Instant::max());
  EXPECT_EQ(lanes.take(), nullptr);
  EXPECT_EQ(lanes.bytes(), 0u);
}

TEST(KeyLanes, EveryRecordRunsOnceInOrderOfItsKeyWhateverTheChance) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    std::mt19937_64 random(seed);
    KeyLanes lanes;
    Instant now{};
    std::map<std::string, std::vector<std::uint64_t>> ran;
    std::vector<std::uint64_t> running;
    std::uint64_t added = 0;
    std::uint64_t finished = 0;
    while (finished < 300) {
      const auto choice = random() % 4;
      if (choice == 0 && added < 300) {
        ++added;
        lanes.add(item(added, std::string(1, static_cast<char>('a' + random() % 7))));
      } else if (choice == 1) {
        if (const Item* taken = lanes.take()) running.push_back(taken->handle);
      } else if (choice == 2 && !running.empty()) {
        const std::size_t at = random() % running.size();
        const auto handle = running[at];
        running.erase(running.begin() + static_cast<std::ptrdiff_t>(at));
        if (random() % 3 == 0) {
          lanes.put_off(handle, now + std::chrono::milliseconds(random() % 100));
        } else {
          ran[lanes.in_flight(handle)->key].push_back(handle);
          lanes.finish(handle);
          ++finished;
        }
      } else {
        now += 10ms;
        lanes.wake(now);
      }
    }
    for (const auto& [key, handles] : ran)
      EXPECT_TRUE(std::ranges::is_sorted(handles)) << "seed " << seed << " key " << key;
    EXPECT_EQ(lanes.bytes(), 0u) << "seed " << seed;
  }
}

}  // namespace
}  // namespace millrace::kafka
