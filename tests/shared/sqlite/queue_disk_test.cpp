#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "tests/shared/sqlite/bad_disks.h"
#include "tests/shared/sqlite/failing_sync.h"
#include "tests/shared/sqlite/queue_world.h"

namespace millrace {
namespace {

Task<> settle(JobQueue& queue, Delivery delivery, Verdict verdict) {
  const auto settled = co_await queue.settle(delivery, std::move(verdict));
  EXPECT_TRUE(settled);
}

/// Puts jobs until one is refused; notes what was taken.
Task<Errc> put_until_refused(QueueStage& stage, JobQueue& queue, std::set<JobId>& taken) {
  for (int i = 0; i < 20'000; ++i) {
    const Job job = stage.job(i % 2 == 0 ? "" : "session", std::string(2000, 'x'));
    const auto queued = co_await queue.enqueue(job);
    if (!queued) co_return queued.error();
    taken.insert(job.id);
  }
  co_return Errc::invalid;
}

Task<> put_when_there_is_room(QueueStage& stage, JobQueue& queue, std::set<JobId>& taken) {
  const Instant give_up = stage.clock.now() + 10s;
  while (stage.clock.now() < give_up) {
    const Job job = stage.job();
    const auto queued = co_await queue.enqueue(job);
    if (queued) {
      taken.insert(job.id);
      co_return;
    }
    EXPECT_EQ(queued.error(), Errc::full);
    co_await stage.clock.sleep_for(5ms);
  }
  ADD_FAILURE() << "the queue did not come back";
}

/// Everything that was taken, once, and nothing else.
Task<> expect_exactly(QueueStage& stage, const std::string& path, std::set<JobId> taken) {
  SqliteQueueProcess process(path);
  const auto queue = process.port(stage.clock);
  EXPECT_EQ(process.queue().waiting(), static_cast<std::int64_t>(taken.size()));
  while (!taken.empty()) {
    auto delivery = co_await queue->next();
    EXPECT_EQ(taken.erase(delivery->job.id), 1u) << "a job that was refused, or one twice";
    if (testing::Test::HasFailure()) co_return;
    co_await settle(*queue, std::move(*delivery), Done{});
  }
}

Task<> full_and_room_again(QueueStage& stage, const SmallDisk& disk) {
  std::set<JobId> taken;
  {
    SqliteQueueProcess process(disk.path("store.db"));
    const auto queue = process.port(stage.clock);
    disk.fill();
    const auto refused = co_await put_until_refused(stage, *queue, taken);
    EXPECT_EQ(refused, Errc::full);
    EXPECT_FALSE(process.store().healthy());
    disk.make_room();
    co_await put_when_there_is_room(stage, *queue, taken);
  }
  co_await expect_exactly(stage, disk.path("store.db"), std::move(taken));
}

Task<> full_while_working(QueueStage& stage, const SmallDisk& disk) {
  std::set<JobId> taken;
  {
    SqliteQueueProcess process(disk.path("store.db"));
    const auto queue = process.port(stage.clock);
    co_await put_when_there_is_room(stage, *queue, taken);
    disk.fill();
    auto delivery = co_await queue->next();
    taken.erase(delivery->job.id);
    co_await settle(*queue, std::move(*delivery), Done{});
    const auto refused = co_await put_until_refused(stage, *queue, taken);
    EXPECT_EQ(refused, Errc::full);
    disk.make_room();
    co_await put_when_there_is_room(stage, *queue, taken);
  }
  co_await expect_exactly(stage, disk.path("store.db"), std::move(taken));
}

Task<> broken_and_mended(QueueStage& stage, const std::string& path) {
  std::set<JobId> taken;
  {
    SqliteQueueProcess process(path);
    const auto queue = process.port(stage.clock);
    co_await put_when_there_is_room(stage, *queue, taken);
    {
      const NoGrowth broken;
      const auto refused = co_await put_until_refused(stage, *queue, taken);
      EXPECT_EQ(refused, Errc::unavailable);
    }
    co_await put_when_there_is_room(stage, *queue, taken);
  }
  co_await expect_exactly(stage, path, std::move(taken));
}

Task<> sync_fails(QueueStage& stage, const std::string& path) {
  std::set<JobId> taken;
  {
    SqliteQueueProcess process(path);
    const auto queue = process.port(stage.clock);
    co_await put_when_there_is_room(stage, *queue, taken);
    FailingSync::fail(true);
    const auto refused = co_await put_until_refused(stage, *queue, taken);
    EXPECT_EQ(refused, Errc::timed_out) << "nobody can tell whether it is there";
    FailingSync::fail(false);
    co_await put_when_there_is_room(stage, *queue, taken);
  }
  co_await expect_exactly(stage, path, std::move(taken));
}

class SqliteQueueDisk : public testing::Test {
 protected:
  void on_small_disk(Task<> (*body)(QueueStage&, const SmallDisk&)) {
    const TemporaryFolder folder;
    const SmallDisk disk(folder.path("disk"));
    if (!disk.mounted()) GTEST_SKIP() << "cannot mount a tmpfs (run as root): " << strerror(errno);
    QueueStage stage(world, loop.clock());
    loop.run_one(stage.play(body(stage, disk)));
  }

  TestLoop loop;
  SqliteQueueWorld world;
};

TEST_F(SqliteQueueDisk, AFullDiskRefusesJobsAndKeepsEveryOneItTook) {
  on_small_disk(full_and_room_again);
}

TEST_F(SqliteQueueDisk, WhatWasSettledOnAFullDiskStaysSettledWhenThereIsRoom) {
  on_small_disk(full_while_working);
}

TEST_F(SqliteQueueDisk, ADiskThatFailsRefusesJobsUntilItIsMended) {
  QueueStage stage(world, loop.clock());
  loop.run_one(stage.play(broken_and_mended(stage, world.path())));
}

TEST_F(SqliteQueueDisk, ASyncThatFailsCannotBeToldAndLeavesNothingOnceTheDiskIsMended) {
  const FailingSync disk;
  QueueStage stage(world, loop.clock());
  loop.run_one(stage.play(sync_fails(stage, world.path())));
}

}  // namespace
}  // namespace millrace
