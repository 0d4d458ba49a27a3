#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "shared/sqlite/sqlite_store.h"
#include "tests/seams/test_loop.h"
#include "tests/shared/sqlite/store_jobs.h"
#include "tests/shared/sqlite/temporary_folder.h"

namespace millrace {
namespace {

/// A file system of 2 MB at `folder`, when this process may mount one.
class SmallDisk {
 public:
  explicit SmallDisk(std::string folder) : folder_(std::move(folder)) {
    std::filesystem::create_directory(folder_);
    mounted_ = mount("tmpfs", folder_.c_str(), "tmpfs", 0, "size=2m") == 0;
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) umount2(folder_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }

  void fill() const {
    std::ofstream ballast(path("ballast"));
    const std::string block(4096, 'x');
    while (ballast.write(block.data(), 4096).flush()) continue;
  }
  void make_room() const { std::filesystem::remove(path("ballast")); }

 private:
  std::string folder_;
  bool mounted_ = false;
};

/// Files may not grow while this lives: a disk that fails in another way than by being full.
class NoGrowth {
 public:
  NoGrowth() {
    getrlimit(RLIMIT_FSIZE, &before_);
    auto none = before_;
    none.rlim_cur = 1;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &none);
  }
  NoGrowth(const NoGrowth&) = delete;
  NoGrowth& operator=(const NoGrowth&) = delete;
  ~NoGrowth() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, SIG_DFL);
  }

 private:
  rlimit before_{};
};

/// Everything the store does while nothing can be written.
void expect_away(TestLoop& loop, const SqliteStore& store, Store& port) {
  EXPECT_EQ(loop.get(port.finish(numbered_job(2), numbered_outcome(2), nullptr)).error(),
            Errc::unavailable);
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

TEST(SqliteDisk, AFullDiskIsUnavailableAndGoesOnByItselfWhenThereIsRoom) {
  const TemporaryFolder folder;
  const SmallDisk disk(folder.path("disk"));
  if (!disk.mounted()) GTEST_SKIP() << "cannot mount a tmpfs (run as root): " << strerror(errno);
  SystemRandom random;
  TestLoop loop;
  SqliteStore store(disk.path("store.db"), random);
  const auto port = store.port(loop.clock());
  loop.run_one(finish_one(*port, numbered_job(1)));
  disk.fill();
  expect_away(loop, store, *port);
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
    expect_away(loop, store, *port);
  }
  expect_back(loop, store, *port);
}

}  // namespace
}  // namespace millrace
