#include <gtest/gtest.h>

#include <cstring>

#include "shared/sqlite/sqlite_store.h"
#include "tests/seams/store_jobs.h"
#include "tests/seams/test_loop.h"
#include "tests/shared/sqlite/bad_disks.h"
#include "tests/shared/sqlite/temporary_folder.h"

namespace millrace {
namespace {

/// Everything the store does while nothing can be written.
void expect_away(TestLoop& loop, const SqliteStore& store, Store& port, Errc error) {
  EXPECT_EQ(loop.get(port.finish(numbered_job(2), numbered_outcome(2), nullptr)).error(), error);
  EXPECT_FALSE(store.healthy());
  EXPECT_EQ(loop.get(port.begin(numbered_job(3), 1)).error(), Errc::unavailable);
  EXPECT_EQ(loop.get(port.find("default", numbered_job(2).id)).error(), Errc::not_found);
  EXPECT_TRUE(loop.get(port.find("default", numbered_job(1).id)));
  EXPECT_TRUE(port.note_accepted(numbered_job(4), "print"));
}

Task<> wait_until_healthy(const SqliteStore& store, Clock& clock) {
  const auto deadline = clock.now() + 10s;
  while (!store.healthy() && clock.now() < deadline) co_await clock.sleep_for(5ms);
}

void expect_back(TestLoop& loop, const SqliteStore& store, Store& port) {
  loop.run_one(wait_until_healthy(store, loop.clock()));
  EXPECT_TRUE(store.healthy());
  loop.run_one(finish_one(port, numbered_job(2)));
  EXPECT_TRUE(loop.get(port.find("default", numbered_job(4).id)));
}

TEST(SqliteDisk, AFullDiskIsNamedAndGoesOnByItselfWhenThereIsRoom) {
  const TemporaryFolder folder;
  const SmallDisk disk(folder.path("disk"));
  if (!disk.mounted()) GTEST_SKIP() << "cannot mount a tmpfs (run as root): " << strerror(errno);
  SystemRandom random;
  TestLoop loop;
  SqliteStore store(disk.path("store.db"), random);
  const auto port = store.port(loop.clock());
  loop.run_one(finish_one(*port, numbered_job(1)));
  // With another connection open, the writer's closing of its own makes no room.
  ASSERT_TRUE(loop.get(port->find("default", numbered_job(1).id)));
  disk.fill();
  expect_away(loop, store, *port, Errc::full);
  EXPECT_EQ(loop.get(port->finish(numbered_job(2), numbered_outcome(2), nullptr)).error(),
            Errc::full)
      << "nor by a connection opened since";
  disk.make_room();
  expect_back(loop, store, *port);
}

TEST(SqliteDisk, ADiskThatFailsIsUnavailableAndGoesOnByItselfWhenItIsMended) {
  const TemporaryFolder folder;
  SystemRandom random;
  TestLoop loop;
  SqliteStore store(folder.path("store.db"), random);
  const auto port = store.port(loop.clock());
  loop.run_one(finish_one(*port, numbered_job(1)));
  ASSERT_TRUE(loop.get(port->find("default", numbered_job(1).id)));
  {
    const NoGrowth broken;
    expect_away(loop, store, *port, Errc::unavailable);
  }
  expect_back(loop, store, *port);
}

}  // namespace
}  // namespace millrace
