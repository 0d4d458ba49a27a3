#include <gtest/gtest.h>

#include <set>

#include "shared/sqlite/database.h"
#include "shared/sqlite/job_taker.h"
#include "tests/shared/sqlite/queue_world.h"

namespace millrace {
namespace {

/// More than memory may hold, made without waiting for a loop.
void fill(const std::string& path, const std::vector<Job>& jobs) {
  SystemRandom random;
  ASSERT_TRUE(migrate_store(path, random));
  auto database = sqlite::Database::open(path, sqlite::Database::Mode::write);
  ASSERT_TRUE(database && database->run("BEGIN IMMEDIATE"));
  sqlite::QueueTable table(*database);
  std::int64_t seq = 0;
  for (const auto& job : jobs) ASSERT_TRUE(table.add(job, ++seq, sqlite::lane_of(job), false));
  ASSERT_TRUE(database->run("COMMIT"));
}

class SqliteQueueBacklog : public testing::Test {
 protected:
  void play(Task<> (*body)(QueueStage&, const SqliteQueueWorld&)) {
    QueueStage stage(world_, loop_.clock());
    loop_.run_one(stage.play(body(stage, world_)));
  }

 private:
  TestLoop loop_;
  SqliteQueueWorld world_;
};

Task<> settle(JobQueue& queue, Delivery delivery, Verdict verdict) {
  const auto settled = co_await queue.settle(delivery, std::move(verdict));
  EXPECT_TRUE(settled);
}

/// The limit for jobs of some 1,200 bytes, and some room for those that are being read.
constexpr std::int64_t held_bytes_max = 1300 * (limits::queue_jobs_in_memory_max + 512);

Task<> long_queue(QueueStage& stage, const SqliteQueueWorld& world) {
  constexpr std::size_t queued = 200'000;
  const auto jobs = stage.jobs(queued);
  fill(world.path(), jobs);
  SqliteQueueProcess process(world.path());
  const auto queue = process.port(stage.clock);
  EXPECT_EQ(process.queue().waiting(), static_cast<std::int64_t>(queued));
  for (std::size_t i = 0; i < 30'000; ++i) {
    auto delivery = co_await queue->next();
    EXPECT_EQ(delivery->job.id, jobs[i].id) << "not in its turn";
    co_await settle(*queue, std::move(*delivery), Done{});
    EXPECT_LE(process.queue().counts().held_bytes.load(), held_bytes_max);
    if (testing::Test::HasFailure()) co_return;
  }
}
TEST_F(SqliteQueueBacklog, ALongQueueTakesBoundedMemoryAndIsRunInItsOrder) {
  play(long_queue);
}

Task<> put(JobQueue& queue, Job job) {
  const auto queued = co_await queue.enqueue(job);
  EXPECT_TRUE(queued);
}

/// In this order, many to a commit.
Task<> put_all(JobQueue& queue, Clock& clock, const std::vector<Job>& jobs) {
  constexpr std::size_t at_once = 500;
  for (std::size_t from = 0; from < jobs.size(); from += at_once) {
    Nursery together(clock);
    for (std::size_t i = from; i < std::min(from + at_once, jobs.size()); ++i)
      together.start(put(queue, jobs[i]));
    co_await together.join();
  }
}

Task<> refill(QueueStage& stage, const SqliteQueueWorld& world) {
  SqliteQueueProcess process(world.path());
  const auto queue = process.port(stage.clock);
  const auto jobs = stage.jobs(2 * limits::queue_jobs_in_memory_max);
  co_await put_all(*queue, stage.clock, jobs);
  EXPECT_LE(process.queue().counts().held_bytes.load(), held_bytes_max);
  for (const auto& job : jobs) {
    auto delivery = co_await queue->next();
    EXPECT_EQ(delivery->job.id, job.id) << "not in its turn";
    co_await settle(*queue, std::move(*delivery), Done{});
    if (testing::Test::HasFailure()) co_return;
  }
}

TEST_F(SqliteQueueBacklog, WhatComesFasterThanItIsTakenWaitsInTheTable) {
  play(refill);
}

Task<> busy_sessions(QueueStage& stage, const SqliteQueueWorld& world) {
  constexpr std::size_t sessions = 30;
  auto jobs = stage.jobs(sessions * limits::session_jobs_max, sessions);
  jobs.push_back(stage.job());
  fill(world.path(), jobs);
  SqliteQueueProcess process(world.path());
  const auto queue = process.port(stage.clock);
  std::set<std::string> running;
  for (std::size_t i = 0; i < sessions; ++i) {
    const auto delivery = co_await queue->next();
    EXPECT_TRUE(running.insert(delivery->job.session).second);
  }
  const auto last = co_await queue->next();
  EXPECT_EQ(last->job.id, jobs.back().id) << "it had to wait for sessions it has no part in";
}
TEST_F(SqliteQueueBacklog, LongSessionsHoldUpNobodyElse) {
  play(busy_sessions);
}

Task<> retry_storm(QueueStage& stage, const SqliteQueueWorld& world) {
  const auto jobs = stage.jobs(limits::queue_jobs_in_memory_max * 3 / 2);
  fill(world.path(), jobs);
  SqliteQueueProcess process(world.path());
  const auto queue = process.port(stage.clock);
  std::set<JobId> tried;
  std::set<JobId> done;
  while (done.size() < jobs.size()) {
    auto delivery = co_await queue->next();
    const bool first = delivery->attempt == 1;
    EXPECT_TRUE((first ? tried : done).insert(delivery->job.id).second);
    const Verdict verdict = first ? Verdict(Retry{stage.clock.now() + 1s}) : Verdict(Done{});
    co_await settle(*queue, std::move(*delivery), verdict);
    EXPECT_LE(process.queue().counts().held_bytes.load(), held_bytes_max);
    if (testing::Test::HasFailure()) co_return;
  }
  EXPECT_EQ(tried.size(), jobs.size());
}
TEST_F(SqliteQueueBacklog, AStormOfRetriesTakesBoundedMemoryAndLosesNone) {
  play(retry_storm);
}

}  // namespace
}  // namespace millrace
