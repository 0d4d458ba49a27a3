#include <gtest/gtest.h>

#include <map>

#include "shared/sqlite/job_taker.h"
#include "tests/shared/sqlite/queue_world.h"

namespace millrace {
namespace {

/// Plays a body on one process of one file; the stage starts others after it.
class SqliteQueueTest : public testing::Test {
 protected:
  void play(Task<> (*body)(QueueStage&, const SqliteQueueWorld&)) {
    QueueStage stage(world_, loop_.clock());
    loop_.run_one(stage.play(body(stage, world_)));
  }

 private:
  TestLoop loop_;
  SqliteQueueWorld world_;
};

Task<> put(JobQueue& queue, Job job) {
  const auto queued = co_await queue.enqueue(job);
  EXPECT_TRUE(queued);
}

Task<> settle(JobQueue& queue, Delivery delivery, Verdict verdict) {
  const auto settled = co_await queue.settle(delivery, std::move(verdict));
  EXPECT_TRUE(settled);
}

std::int64_t count(const std::string& path, const char* sql) {
  auto database = sqlite::Database::open(path, sqlite::Database::Mode::read);
  EXPECT_TRUE(database);
  sqlite::Statement statement(sql);
  auto query = statement.on(*database);
  EXPECT_TRUE(query.step());
  return query.number(0);
}

Task<> twice_is_once(QueueStage& stage, const SqliteQueueWorld&) {
  auto& worker = stage.worker();
  const Job job = stage.job();
  co_await put(worker.queue(), job);
  co_await put(worker.queue(), job);
  const auto got = co_await worker.take();
  co_await settle(worker.queue(), got, Done{});
  const auto again = co_await worker.take_within(100ms);
  EXPECT_FALSE(again);
}
TEST_F(SqliteQueueTest, TheSameIdTwiceIsOneJob) {
  play(twice_is_once);
}

Task<> ended_is_not_queued(QueueStage& stage, const SqliteQueueWorld& world) {
  const Job job = stage.job();
  SqliteQueueProcess process(world.path());
  const auto store = process.store().port(stage.clock);
  const auto queue = process.port(stage.clock);
  Outcome cancelled;
  cancelled.state = JobState::cancelled;
  const auto finished = co_await store->finish(job, cancelled, nullptr);
  EXPECT_TRUE(finished);
  co_await put(*queue, job);
  EXPECT_EQ(process.queue().waiting(), 0);
}
TEST_F(SqliteQueueTest, AJobThatHasEndedIsNotQueued) {
  play(ended_is_not_queued);
}

Task<> noted_before(QueueStage& stage, const SqliteQueueWorld& world) {
  const Job job = stage.job();
  SqliteQueueProcess process(world.path());
  const auto store = process.store().port(stage.clock);
  const auto queue = process.port(stage.clock);
  EXPECT_TRUE(store->note_accepted(job, "print"));
  co_await put(*queue, job);
  EXPECT_EQ(process.queue().waiting(), 1);
  const auto found = co_await store->find("default", job.id);
  EXPECT_TRUE(found && found->fingerprint == "print");
}
TEST_F(SqliteQueueTest, AJobThatWasOnlyNotedIsQueued) {
  play(noted_before);
}

Task<> one_commit(QueueStage& stage, const SqliteQueueWorld& world) {
  SqliteQueueProcess process(world.path());
  const auto store = process.store().port(stage.clock);
  const auto queue = process.queue().port(stage.clock);
  const auto before = process.store().written().commits;
  const Job job = stage.job();
  co_await put(*queue, job);
  EXPECT_TRUE(store->note_accepted(job, ""));
  const auto found = co_await store->find("default", job.id);
  EXPECT_TRUE(found) << "queued, and not known to the store";
  const auto after = process.store().written();
  EXPECT_EQ(after.commits - before, 1u);
}
TEST_F(SqliteQueueTest, AnAcceptedJobAndItsRowAreOneCommit) {
  play(one_commit);
}

Task<> retry_outlives_its_process(QueueStage& stage, const SqliteQueueWorld&) {
  auto& first = stage.worker();
  const std::vector<Job> jobs{stage.job("session"), stage.job()};
  for (const Job& job : jobs) co_await put(first.queue(), job);
  const Instant due = stage.clock.now() + 1s;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const auto got = co_await first.take();
    co_await settle(first.queue(), got, Retry{due});
  }
  co_await first.end();
  auto& second = stage.worker();
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const auto got = co_await second.take();
    EXPECT_GE(stage.clock.now(), due - 2ms);
    EXPECT_EQ(got.attempt, 2u);
    EXPECT_TRUE(got.redelivered);
    co_await settle(second.queue(), got, Done{});
  }
}
TEST_F(SqliteQueueTest, ARetryKeepsItsTimeAndItsCountOverARestart) {
  play(retry_outlives_its_process);
}

Task<> not_before_its_time(QueueStage& stage, const SqliteQueueWorld& world) {
  auto& worker = stage.worker();
  Job tomorrow = stage.job();
  tomorrow.not_before = stage.clock.wall() + 24h;
  Job soon = stage.job();
  soon.not_before = stage.clock.wall() + 200ms;
  Job now = stage.job();
  for (const Job& job : {tomorrow, soon, now}) co_await put(worker.queue(), job);
  const auto first = co_await worker.take();
  EXPECT_EQ(first.job.id, now.id);
  const auto second = co_await worker.take();
  EXPECT_EQ(second.job.id, soon.id);
  EXPECT_GE(stage.clock.wall(), *soon.not_before);
  const auto third = co_await worker.take_within(100ms);
  EXPECT_FALSE(third);
  EXPECT_EQ(count(world.path(), "SELECT count(*) FROM queue WHERE parked = 1"), 1);
}
TEST_F(SqliteQueueTest, AJobComesNotBeforeItsTime) {
  play(not_before_its_time);
}

Task<> dead_letter_stays(QueueStage& stage, const SqliteQueueWorld& world) {
  auto& worker = stage.worker();
  co_await put(worker.queue(), stage.job());
  const auto got = co_await worker.take();
  co_await settle(worker.queue(), got, Dead{"no use"});
  co_await worker.end();
  EXPECT_EQ(count(world.path(), "SELECT count(*) FROM queue"), 0);
  EXPECT_EQ(count(world.path(), "SELECT count(*) FROM dead_letters WHERE reason = 'no use'"), 1);
}
TEST_F(SqliteQueueTest, ADeadJobLeavesALetter) {
  play(dead_letter_stays);
}

Task<> unreadable_row(QueueStage& stage, const SqliteQueueWorld& world) {
  {
    SqliteQueueProcess process(world.path());
    const auto queue = process.port(stage.clock);
    Job broken = stage.job();
    broken.envelope = "{\"v\":1";
    Job newer = stage.job();
    newer.envelope = "{\"v\":2}";
    for (const Job& job : {broken, newer, stage.job()}) co_await put(*queue, job);
  }
  auto& worker = stage.worker();
  const auto got = co_await worker.take();
  co_await settle(worker.queue(), got, Done{});
  const auto more = co_await worker.take_within(100ms);
  EXPECT_FALSE(more);
  co_await worker.end();
  EXPECT_EQ(count(world.path(), "SELECT count(*) FROM dead_letters"), 1);
  EXPECT_EQ(count(world.path(), "SELECT count(*) FROM queue WHERE parked = 1"), 1)
      << "an envelope of a newer build is kept for it";
}
TEST_F(SqliteQueueTest, WhatCannotBeReadHoldsUpNobody) {
  play(unreadable_row);
}

Task<> take_all(JobQueue& queue, std::map<std::string, int>& keys, int loop, int& left,
                Nursery& both) {
  while (left > 0) {
    auto delivery = co_await queue.next();
    if (!delivery) co_return;
    const auto [at, fresh] = keys.try_emplace(delivery->job.session, loop);
    EXPECT_EQ(at->second, loop) << "a key came to two loops";
    co_await settle(queue, std::move(*delivery), Done{});
    --left;
  }
  both.stop();
}

Task<> two_loops(QueueStage& stage, const SqliteQueueWorld& world) {
  SqliteQueueProcess process(world.path(), {.taking_ports = 2});
  const auto first = process.port(stage.clock);
  const auto second = process.port(stage.clock);
  EXPECT_THROW(process.port(stage.clock), std::logic_error);
  std::map<std::string, int> keys;
  int left = 200;
  Nursery both(stage.clock);
  both.start(take_all(*first, keys, 1, left, both));
  both.start(take_all(*second, keys, 2, left, both));
  for (auto& job : stage.jobs(200, 20)) co_await put(*first, std::move(job));
  co_await both.join();
  EXPECT_EQ(left, 0);
  const auto firsts = std::ranges::count(keys, 1, &std::pair<const std::string, int>::second);
  EXPECT_TRUE(firsts > 0 && firsts < 20) << firsts;
}
TEST_F(SqliteQueueTest, EachKeyHasItsLoop) {
  play(two_loops);
}

Task<> lag_counts(QueueStage& stage, const SqliteQueueWorld& world) {
  const auto jobs = stage.jobs(10);
  {
    SqliteQueueProcess process(world.path());
    const auto queue = process.queue().port(stage.clock);
    for (const Job& job : jobs) co_await put(*queue, job);
    EXPECT_EQ(queue->lag(jobs[0])->waiting, 10);
  }
  auto& worker = stage.worker();
  EXPECT_EQ(worker.queue().lag(jobs[0])->waiting, 10);
  for (int i = 0; i < 4; ++i) {
    const auto got = co_await worker.take();
    co_await settle(worker.queue(), got, Done{});
  }
  EXPECT_EQ(worker.queue().lag(jobs[0])->waiting, 6);
}
TEST_F(SqliteQueueTest, LagIsWhatNobodyHasFinished) {
  play(lag_counts);
}

}  // namespace
}  // namespace millrace
