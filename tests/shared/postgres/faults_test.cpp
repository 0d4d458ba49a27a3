#include <gtest/gtest.h>

#include <thread>

#include "shared/postgres/postgres_store.h"
#include "tests/seams/store_jobs.h"
#include "tests/seams/test_loop.h"
#include "tests/shared/postgres/postgres_server.h"
#include "tests/shared/postgres/test_database.h"

/// What becomes of callers when Postgres is killed, stopped and restarted, and that nobody has to
/// do anything for it to go on.
namespace millrace {
namespace {

constexpr Duration patience = 800ms;

class PostgresFaults : public testing::Test {
 protected:
  void SetUp() override {
    if (!PostgresServer::installed())
      GTEST_SKIP() << "postgresql is not installed; ./ops/setup installs it";
    server = std::make_unique<PostgresServer>();
    store = std::make_unique<PostgresStore>(server->url(), random, ModelPrices(), patience);
    port = store->port(loop.clock());
  }
  Result<Finished> finish(int number) {
    return loop.get(port->finish(numbered_job(number), numbered_outcome(number), nullptr));
  }
  Result<StoredJob> find(int number) {
    return loop.get(port->find("default", numbered_job(number).id));
  }
  template <class True>
  bool until(True true_now) {
    for (int tries = 0; tries < 4000; ++tries) {
      if (true_now()) return true;
      loop.run_one(loop.clock().sleep_for(5ms));
    }
    return false;
  }

  SystemRandom random;
  TestLoop loop;
  std::unique_ptr<PostgresServer> server;
  std::unique_ptr<PostgresStore> store;
  std::unique_ptr<Store> port;
};

Task<> finish_until(Store& store, Clock& clock, int from, int step, const bool& enough,
                    std::vector<int>& answered) {
  for (int number = from; !enough && number < 60'000; number += step) {
    const auto finished = co_await store.finish(numbered_job(number), numbered_outcome(number), {});
    if (finished)
      answered.push_back(number);
    else
      co_await clock.sleep_for(1ms);
  }
}

Task<> after(Clock& clock, Duration time, PostgresServer& server, bool& enough) {
  co_await clock.sleep_for(time);
  server.kill();
  enough = true;
}

TEST_F(PostgresFaults, WhatWasAnsweredBeforeAKillIsThereAfterIt) {
  bool enough = false;
  std::vector<int> answered;
  std::vector<Task<>> tasks;
  for (int i = 0; i < 16; ++i)
    tasks.push_back(finish_until(*port, loop.clock(), i, 16, enough, answered));
  tasks.push_back(after(loop.clock(), 300ms, *server, enough));
  loop.run(std::move(tasks));
  ASSERT_GT(answered.size(), 0u);
  ASSERT_TRUE(until([&] { return !port->healthy(); }));
  const Instant before = loop.clock().now();
  EXPECT_EQ(finish(60'000).error(), Errc::unavailable);
  EXPECT_EQ(find(answered.front()).error(), Errc::unavailable);
  EXPECT_EQ(loop.get(port->begin(numbered_job(60'001), 1)).error(), Errc::unavailable);
  EXPECT_TRUE(port->note_accepted(numbered_job(60'002), "print"));
  EXPECT_LT(loop.clock().now() - before, 2s);
  server->start();
  ASSERT_TRUE(until([&] { return port->healthy() && find(answered.front()); }));
  for (const int number : answered) {
    const auto stored = find(number);
    ASSERT_TRUE(stored && stored->outcome) << number;
    EXPECT_EQ(stored->outcome->text, numbered_outcome(number).text);
  }
  EXPECT_TRUE(finish(60'000));
  EXPECT_TRUE(loop.get(port->find_noted(numbered_job(60'002).id))) << "it has waited";
}

TEST_F(PostgresFaults, AStoppedServerEndsCallsInTimeIsNoticedAndIsFoundAgain) {
  ASSERT_TRUE(finish(1));
  ASSERT_TRUE(find(1));
  server->pause();
  Instant before = loop.clock().now();
  const auto unanswered = finish(2);
  ASSERT_FALSE(unanswered);
  EXPECT_TRUE(unanswered.error() == Errc::unavailable || unanswered.error() == Errc::timed_out);
  EXPECT_LT(loop.clock().now() - before, 3s);
  EXPECT_FALSE(port->healthy());
  before = loop.clock().now();
  EXPECT_EQ(loop.get(port->begin(numbered_job(3), 1)).error(), Errc::unavailable);
  EXPECT_LT(loop.clock().now() - before, 100ms);
  server->resume();
  ASSERT_TRUE(until([&] { return port->healthy() && find(1); }));
  const auto again = finish(2);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->outcome.text, numbered_outcome(2).text) << "once, whether or not it arrived";
}

TEST_F(PostgresFaults, AServerThatStandsStillIsNoticedWithoutACall) {
  server->pause();
  EXPECT_TRUE(until([&] { return !port->healthy(); }));
  server->resume();
  EXPECT_TRUE(until([&] { return port->healthy(); }));
}

TEST_F(PostgresFaults, ARestartIsSurvivedWithoutAWord) {
  ASSERT_TRUE(finish(1));
  server->stop();
  server->start();
  ASSERT_TRUE(until([&] { return finish(2).has_value(); }));
  ASSERT_TRUE(until([&] { return find(1).has_value(); }));
  EXPECT_TRUE(until([&] { return loop.get(port->list({})).has_value(); }));
  EXPECT_TRUE(port->healthy());
}

TEST_F(PostgresFaults, TheEndOfAProcessDoesNotWaitForAServerThatHasGone) {
  ASSERT_TRUE(port->note_accepted(numbered_job(1), "print"));
  server->kill();
  const Instant before = loop.clock().now();
  port.reset();
  store.reset();
  EXPECT_LT(loop.clock().now() - before, 5s);
}

Task<> save_and_note_a_throw(Store& store, bool& thrown) {
  try {
    const Step step;
    (void)co_await store.save_step(numbered_job(1).id, step);
  } catch (const std::exception&) {
    thrown = true;
    throw;
  }
}

Task<> cancel_a_waiting_call(Store& store, Clock& clock, bool& thrown) {
  Nursery nursery(clock);
  nursery.start(save_and_note_a_throw(store, thrown));
  co_await clock.sleep_for(1ms);
  nursery.stop();
  co_await nursery.join();
}

TEST_F(PostgresFaults, ACancelledCallerLeavesAndAPortMayGoBeforeItsRepliesCome) {
  server->pause();
  bool thrown = false;
  {
    TestLoop short_lived;
    const auto own = store->port(short_lived.clock());
    short_lived.run_one(cancel_a_waiting_call(*own, short_lived.clock(), thrown));
  }
  EXPECT_TRUE(thrown);
  server->resume();
  EXPECT_TRUE(until([&] { return finish(2).has_value(); }));
}

}  // namespace
}  // namespace millrace
