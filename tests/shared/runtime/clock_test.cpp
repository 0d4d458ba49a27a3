#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <optional>

#include "shared/runtime/loop_clock.h"
#include "shared/runtime/nursery.h"
#include "shared/runtime/virtual_clock.h"

namespace millrace {
namespace {

struct World {
  asio::io_context loop{1};
  VirtualClock clock{loop};
};

Task<> sleep_then_note(Clock& clock, Duration time, std::vector<int>& order, int number) {
  co_await clock.sleep_for(time);
  order.push_back(number);
}

Task<> join_into(Nursery& nursery, bool& joined) {
  co_await nursery.join();
  joined = true;
}

TEST(VirtualClock, WakesSleepersInTheOrderOfTheirDeadlines) {
  World world;
  Nursery nursery(world.clock);
  std::vector<int> order;
  nursery.start(sleep_then_note(world.clock, 3h, order, 3));
  nursery.start(sleep_then_note(world.clock, 1h, order, 1));
  nursery.start(sleep_then_note(world.clock, 2h, order, 2));
  world.clock.run_for(4h);
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(VirtualClock, WallTimeMovesAlongAndCanJump) {
  World world;
  const auto before = world.clock.wall();
  world.clock.run_for(90min);
  EXPECT_EQ(world.clock.wall() - before, 90min);
  world.clock.jump_wall(-1h);
  EXPECT_EQ(world.clock.wall() - before, 30min);
}

TEST(Nursery, StopEndsSleepersAtOnceAndJoinWaitsForThem) {
  World world;
  Nursery nursery(world.clock);
  std::vector<int> order;
  bool joined = false;
  nursery.start(sleep_then_note(world.clock, 1h, order, 1));
  asio::co_spawn(world.loop, join_into(nursery, joined), [](std::exception_ptr) {});
  world.clock.run_for(1s);
  EXPECT_FALSE(joined);
  nursery.stop();
  world.clock.run_for(0s);
  EXPECT_TRUE(joined);
  EXPECT_TRUE(order.empty());
}

Task<> fail_after(Clock& clock, Duration time) {
  co_await clock.sleep_for(time);
  throw std::runtime_error("planned");
}

Task<> join_and_keep_failure(Nursery& nursery, std::string& failure) {
  try {
    co_await nursery.join();
  } catch (const std::exception& error) {
    failure = error.what();
  }
}

TEST(Nursery, TheFirstFailureStopsTheOthersAndIsRethrown) {
  World world;
  Nursery nursery(world.clock);
  std::vector<int> order;
  std::string failure;
  nursery.start(fail_after(world.clock, 1min));
  nursery.start(sleep_then_note(world.clock, 1h, order, 1));
  asio::co_spawn(world.loop, join_and_keep_failure(nursery, failure), [](std::exception_ptr) {});
  world.clock.run_for(2min);
  EXPECT_EQ(failure, "planned");
  EXPECT_EQ(nursery.size(), 0u);
}

TEST(Nursery, AJoinThatIsCancelledStopsTheChildrenFirst) {
  World world;
  Nursery nursery(world.clock);
  std::vector<int> order;
  bool joined = false;
  bool ended = false;
  asio::cancellation_signal cancel;
  nursery.start(sleep_then_note(world.clock, 1h, order, 1));
  asio::co_spawn(
      world.loop, join_into(nursery, joined),
      asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr) { ended = true; }));
  world.clock.run_for(1s);
  cancel.emit(asio::cancellation_type::terminal);
  world.clock.run_for(0s);
  EXPECT_TRUE(ended);
  EXPECT_FALSE(joined);
  EXPECT_EQ(nursery.size(), 0u);
}

Task<> wait_for(Signal& signal, Instant deadline, std::optional<bool>& woken) {
  woken = co_await signal.wait_until(deadline);
}

TEST(Signal, ANotifyNobodyWaitedForIsKept) {
  World world;
  Signal signal(world.clock);
  std::optional<bool> woken;
  signal.notify();
  Nursery nursery(world.clock);
  nursery.start(wait_for(signal, world.clock.now() + 1h, woken));
  world.clock.run_for(0s);
  EXPECT_EQ(woken, true);
}

TEST(Signal, TellsATimeOutFromANotify) {
  World world;
  Signal signal(world.clock);
  std::optional<bool> first;
  std::optional<bool> second;
  Nursery nursery(world.clock);
  nursery.start(wait_for(signal, world.clock.now() + 1s, first));
  nursery.start(wait_for(signal, world.clock.now() + 1h, second));
  world.clock.run_for(2s);
  EXPECT_EQ(first, false);
  EXPECT_EQ(second, std::nullopt);
  signal.notify();
  world.clock.run_for(0s);
  EXPECT_EQ(second, true);
}

TEST(LoopClock, SleepsAtLeastAsLongAsAsked) {
  asio::io_context loop{1};
  LoopClock clock(loop);
  Nursery nursery(clock);
  std::vector<int> order;
  const auto start = clock.now();
  nursery.start(sleep_then_note(clock, 20ms, order, 2));
  nursery.start(sleep_then_note(clock, 5ms, order, 1));
  loop.run();
  EXPECT_GE(clock.now() - start, 20ms);
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

}  // namespace
}  // namespace millrace
