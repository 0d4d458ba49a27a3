#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "shared/shared_cache.h"
#include "tests/seams/test_loop.h"

/// What every SharedCache promises. An adapter's test program includes this file once and adds
/// `INSTANTIATE_TEST_SUITE_P(Name, SharedCacheSuite, testing::Values(make_world))`.
namespace millrace {

/// One memory, empty at first, seen through ports.
class SharedCacheWorld {
 public:
  virtual ~SharedCacheWorld() = default;
  virtual std::unique_ptr<SharedCache> port(Clock& clock) = 0;
  /// Keeps what `port` gave in touch with its server until cancelled.
  virtual Task<> run(SharedCache& port) = 0;
};

using MakeSharedCacheWorld = std::unique_ptr<SharedCacheWorld> (*)();

class SharedCacheSuite : public testing::TestWithParam<MakeSharedCacheWorld> {
 protected:
  /// What the task answers, with every port in touch meanwhile.
  template <class T>
  T get(Task<T> task) {
    std::optional<T> answer;
    std::vector<Task<>> tasks;
    tasks.push_back(both(*this, std::move(task), answer));
    loop.run(std::move(tasks));
    return std::move(*answer);
  }
  void pass(Duration time) { loop.run_one(loop.clock().sleep_for(time)); }

  TokensTaken take(SharedCache& from, TokenRate rate, std::uint32_t wanted,
                   const std::string& bucket = "t/b") {
    const auto taken = get(from.take(bucket, rate, wanted));
    EXPECT_TRUE(taken);
    return taken.value_or(TokensTaken{});
  }

  TestLoop loop;
  std::unique_ptr<SharedCacheWorld> world = GetParam()();
  std::unique_ptr<SharedCache> cache = world->port(loop.clock());
  std::unique_ptr<SharedCache> other = world->port(loop.clock());

 private:
  template <class T>
  static Task<> both(SharedCacheSuite& suite, Task<T> task, std::optional<T>& answer) {
    Nursery nursery(suite.loop.clock());
    nursery.start(suite.world->run(*suite.cache));
    nursery.start(suite.world->run(*suite.other));
    nursery.start(ask(suite, std::move(task), answer, nursery));
    co_await nursery.join();
  }
  template <class T>
  static Task<> ask(SharedCacheSuite& suite, Task<T> task, std::optional<T>& answer,
                    Nursery& nursery) {
    co_await suite.loop.clock().sleep_for(1us);  // all have been started by then
    // Both ports have to reach their server first.
    for (auto* port : {suite.cache.get(), suite.other.get()}) {
      for (bool there = false; !there;) {
        const auto got = co_await port->get("nobody/nothing");
        there = got.has_value();
        if (!there) co_await suite.loop.clock().sleep_for(1ms);
      }
    }
    answer = co_await std::move(task);
    nursery.stop();
    co_await suite.loop.clock().sleep_for(1h);  // ended by the stop
  }
};

TEST_P(SharedCacheSuite, WhatIsSetIsReadByEveryPortUntilItIsRemoved) {
  const std::string value("a\0\xff\r\n", 5);
  EXPECT_EQ(get(cache->get("t/x")).value(), std::nullopt);
  ASSERT_TRUE(get(cache->set("t/x", value, 1h)));
  EXPECT_EQ(get(other->get("t/x")).value(), value);
  ASSERT_TRUE(get(other->set("t/x", "", 1h)));
  EXPECT_EQ(get(cache->get("t/x")).value(), "");
  ASSERT_TRUE(get(cache->remove("t/x")));
  EXPECT_EQ(get(other->get("t/x")).value(), std::nullopt);
  EXPECT_TRUE(get(cache->remove("t/x"))) << "once more is nothing";
}

TEST_P(SharedCacheSuite, AValueGoesWhenItsTimeIsOver) {
  ASSERT_TRUE(get(cache->set("t/short", "1", 20ms)));
  ASSERT_TRUE(get(cache->set("t/long", "2", 1h)));
  pass(30ms);
  EXPECT_EQ(get(cache->get("t/short")).value(), std::nullopt);
  EXPECT_EQ(get(cache->get("t/long")).value(), "2");
}

TEST_P(SharedCacheSuite, WhatIsAddedStandsOnlyWhereNothingDoes) {
  EXPECT_EQ(get(cache->add("t/x", "first", 30ms)), true);
  EXPECT_EQ(get(other->add("t/x", "second", 1h)), false);
  EXPECT_EQ(get(cache->get("t/x")).value(), "first");
  pass(40ms);
  EXPECT_EQ(get(other->add("t/x", "third", 1h)), true) << "the time of the first is over";
  EXPECT_EQ(get(cache->get("t/x")).value(), "third");
  EXPECT_EQ(get(cache->add(std::string(cache_name_bytes_max + 1, 'n'), "", 1s)).error(),
            Errc::invalid);
}

TEST_P(SharedCacheSuite, WhatIsTooLargeIsRefused) {
  const std::string long_name(cache_name_bytes_max + 1, 'n');
  const std::string long_value(cache_value_bytes_max + 1, 'v');
  EXPECT_EQ(get(cache->set(long_name, "", 1s)).error(), Errc::invalid);
  EXPECT_EQ(get(cache->set("t/x", long_value, 1s)).error(), Errc::invalid);
  EXPECT_EQ(get(cache->get(long_name)).error(), Errc::invalid);
  EXPECT_EQ(get(cache->take(long_name, {}, 1)).error(), Errc::invalid);
  EXPECT_TRUE(get(cache->set("t/x", long_value.substr(1), 1s)));
}

TEST_P(SharedCacheSuite, ABucketGivesItsBurstOnceWhoeverTakes) {
  const TokenRate rate{.per_s = 0.001, .burst = 5};
  const auto first = take(*cache, rate, 3);
  EXPECT_EQ(first.taken, 3);
  EXPECT_NEAR(first.left, 2, 0.01);
  EXPECT_EQ(first.next_in, 0s);
  EXPECT_EQ(take(*other, rate, 3).taken, 2) << "as many as are there";
  const auto none = take(*cache, rate, 1);
  EXPECT_EQ(none.taken, 0);
  EXPECT_GT(none.next_in, 900s);
  EXPECT_LE(none.next_in, 1001s);
  EXPECT_EQ(take(*cache, rate, 1, "t/another").taken, 1) << "buckets are apart";
}

TEST_P(SharedCacheSuite, ABucketFillsSteadilyAndNeverBeyondItsBurst) {
  const TokenRate rate{.per_s = 100, .burst = 2};
  EXPECT_EQ(take(*cache, rate, 2).taken, 2);
  const auto wait = take(*cache, rate, 2);
  pass(std::max<Duration>(wait.next_in, 11ms));
  EXPECT_GE(take(*cache, rate, 1).taken, 1) << "a token came";
  pass(100ms);
  EXPECT_EQ(take(*cache, rate, 10).taken, 2) << "ten would have come";
}

TEST_P(SharedCacheSuite, ARateThatChangesIsHeeded) {
  EXPECT_EQ(take(*cache, {.per_s = 0.001, .burst = 100}, 1).taken, 1);
  EXPECT_EQ(take(*cache, {.per_s = 0.001, .burst = 2}, 10).taken, 2) << "no more than it holds now";
}

TEST_P(SharedCacheSuite, ValuesAndBucketsOfOneNameAreApart) {
  ASSERT_TRUE(get(cache->set("t/b", "value", 1h)));
  EXPECT_EQ(take(*cache, {.per_s = 1, .burst = 1}, 1).taken, 1);
  EXPECT_EQ(get(cache->get("t/b")).value(), "value");
}

}  // namespace millrace
