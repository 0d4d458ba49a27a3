#include <signal.h>
#include <sys/resource.h>

#include "shared/disk/segment_event_log.h"
#include "tests/seams/small_disk.h"
#include "tests/seams/test_loop.h"
#include "tests/shared/disk/driven_log.h"

namespace millrace::disk {
namespace {

/// No file of this process may grow beyond a size while this lives: what a full disk does, a
/// write that is cut short included.
class NoRoom {
 public:
  explicit NoRoom(std::uintmax_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    ignored_ = ::signal(SIGXFSZ, SIG_IGN);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~NoRoom() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, ignored_);
  }
  NoRoom(const NoRoom&) = delete;
  NoRoom& operator=(const NoRoom&) = delete;

 private:
  rlimit before_{};
  void (*ignored_)(int) = nullptr;
};

class LogFaults : public DrivenLog {
 protected:
  std::uintmax_t size() { return std::filesystem::file_size(segment(1)); }
};

TEST_F(LogFaults, AFullDiskRefusesAndNothingIsHalfVisible) {
  open();
  const auto queued = job("s");
  const auto made = job("s");
  ASSERT_TRUE(accept(queued));
  const auto holder = running(made, 3);
  {
    const auto before = size();
    const NoRoom full(before + 20);  // part of an entry fits
    const auto fresh = job("s");
    EXPECT_EQ(accept(fresh).error(), Errc::unavailable);
    EXPECT_FALSE(state(fresh));
    EXPECT_EQ(append(made, holder, 3, 2).error(), Errc::unavailable);
    EXPECT_EQ(append(made, holder, 3, 2, JobState::succeeded).error(), Errc::unavailable);
    EXPECT_EQ(begin(queued, token()).error(), Errc::unavailable);
    EXPECT_EQ(begin(job(), token()).error(), Errc::unavailable);
    EXPECT_EQ(log->cancel(made.id, at).error(), Errc::unavailable);
    EXPECT_EQ(log->withdraw(queued.id).error(), Errc::unavailable);
    EXPECT_FALSE(log->reachable());
    EXPECT_EQ(size(), before) << "nothing is left behind the end";
    EXPECT_TRUE(begin(made, holder, 3, true)) << "a renewal writes nothing";
    EXPECT_EQ(all(made), lines(1, 3));
    EXPECT_EQ(state(made)->last, 3u);
    EXPECT_FALSE(state(made)->cancel_wanted);
    EXPECT_EQ(state(queued)->state, JobState::queued);
    EXPECT_EQ(log->session_jobs("tenant", "s").size(), 2u);
  }
  ASSERT_TRUE(append(made, holder, 3, 2));
  EXPECT_TRUE(log->reachable());
  reopen();
  EXPECT_EQ(all(made), lines(1, 5));
  EXPECT_EQ(state(queued)->state, JobState::queued);
}

TEST_F(LogFaults, AFullDiskIsNamedUntilThereIsRoom) {
  const SmallDisk disk(folder / "disk");
  if (!disk.mounted()) GTEST_SKIP() << "cannot mount a tmpfs (run as root): " << strerror(errno);
  options.folder = disk.path("events");
  open();
  disk.fill();
  Result<Accepted> accepted;
  for (int tries = 0; accepted && tries < 100; ++tries) accepted = accept(job());  // a page is left
  EXPECT_EQ(accepted.error(), Errc::full);
  disk.make_room();
  EXPECT_TRUE(accept(job()));
  log.reset();
}

TEST_F(LogFaults, AKillWhileTheDiskWasFullLosesNothingThatWasTaken) {
  open();
  const auto made = job();
  const auto holder = running(made, 3);
  {
    const NoRoom full(size() + 60);
    EXPECT_FALSE(append(made, holder, 3, 2));
    crash();
  }
  open();
  EXPECT_EQ(all(made), lines(1, 3));
}

TEST_F(LogFaults, ADiskWithRoomAgainIsNoticedWithoutAJob) {
  TestLoop loop;
  open();
  const auto made = job();
  const auto holder = running(made, 3);
  {
    const NoRoom full(size() + 20);
    EXPECT_FALSE(append(made, holder, 3, 2));
  }
  Nursery tasks(loop.clock());
  tasks.start(log->run(loop.clock()));
  const auto until_reachable = [](Clock& clock, SegmentLog& log) -> Task<> {
    const Instant end = clock.now() + 5s;
    while (!log.reachable() && clock.now() < end) co_await clock.sleep_for(1ms);
  };
  loop.run_one(until_reachable(loop.clock(), *log));
  EXPECT_TRUE(log->reachable());
  tasks.stop();
  loop.run_one(tasks.join());
}

TEST_F(LogFaults, ARemovalOnAFullDiskKeepsWhatLives) {
  options.segment_bytes = 4096;
  open();
  const auto made = job();
  running(made, 3);
  while (SegmentLogLoss::segment(*log) < 4) {
    ended(job(), 3);
    log->settle();
  }
  pass(options.events_ttl);
  {
    const NoRoom full(0);
    log->purge_soon(at.wall);
    log->settle();
    EXPECT_EQ(all(made), lines(1, 3));
  }
  log->purge_soon(at.wall);
  log->settle();
  EXPECT_FALSE(std::filesystem::exists(segment(1)));
  EXPECT_EQ(all(made), lines(1, 3));
}

TEST_F(LogFaults, ASegmentThatCannotBeTurnedIsWrittenOnAndTurnedLater) {
  options.segment_bytes = 4096;
  open();
  std::vector<Job> made;
  {
    // The folder takes no new file.
    std::filesystem::create_directory(segment(2));
    for (int i = 0; i < 50; ++i) {
      made.push_back(job());
      ended(made.back(), 3);
      log->settle();
    }
    EXPECT_EQ(SegmentLogLoss::segment(*log), 1u);
    std::filesystem::remove(segment(2));
  }
  for (int i = 0; i < 50; ++i) {
    made.push_back(job());
    ended(made.back(), 3);
    log->settle();
  }
  EXPECT_GT(SegmentLogLoss::segment(*log), 1u);
  reopen();
  for (const Job& one : made) ASSERT_EQ(all(one), lines(1, 3));
}

}  // namespace
}  // namespace millrace::disk
