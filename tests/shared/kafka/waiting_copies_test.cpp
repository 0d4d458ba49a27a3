#include "shared/kafka/waiting_copies.h"

#include <gtest/gtest.h>

#include "shared/kafka/partition.h"

namespace millrace::kafka {
namespace {

struct WaitingCopiesTest : testing::Test {
  WaitingCopies copies;
  std::shared_ptr<Partition> one = std::make_shared<Partition>();
  std::shared_ptr<Partition> other = std::make_shared<Partition>();
  const Instant start{};

  void add(Duration after, const std::shared_ptr<Partition>& of, std::int64_t offset) {
    Item item;
    item.partition = of;
    item.offset = offset;
    item.value = std::string(100, 'x');
    copies.add(start + after, {std::move(item), start + after});
  }
  std::int64_t taken(Duration after) {
    const auto copy = copies.take(start + after);
    return copy ? copy->item.offset : -1;
  }
};

TEST_F(WaitingCopiesTest, ALateOneHoldsBackNoneBehindIt) {
  add(60s, one, 1);
  add(10s, one, 2);
  add(20s, one, 3);
  EXPECT_EQ(copies.next(), start + 10s);
  EXPECT_EQ(taken(9s), -1);
  EXPECT_EQ(taken(30s), 2);
  EXPECT_EQ(taken(30s), 3);
  EXPECT_EQ(taken(30s), -1);
  EXPECT_EQ(taken(60s), 1);
  EXPECT_EQ(copies.next(), Instant::max());
}

TEST_F(WaitingCopiesTest, AreCountedWhileTheyWait) {
  EXPECT_EQ(copies.bytes(), 0u);
  add(10s, one, 1);
  const auto each = copies.bytes();
  EXPECT_GT(each, 100u);
  add(20s, other, 2);
  EXPECT_EQ(copies.bytes(), 2 * each);
  taken(10s);
  EXPECT_EQ(copies.bytes(), each);
}

TEST_F(WaitingCopiesTest, GoWithTheirPartition) {
  add(10s, one, 1);
  add(10s, other, 2);
  add(20s, one, 3);
  copies.forget(one.get());
  EXPECT_EQ(taken(20s), 2);
  EXPECT_EQ(taken(20s), -1);
  EXPECT_EQ(copies.bytes(), 0u);
  EXPECT_EQ(one.use_count(), 1);
}

}  // namespace
}  // namespace millrace::kafka
