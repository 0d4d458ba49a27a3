#include <fcntl.h>

#include "shared/disk/segment_event_log.h"
#include "tests/seams/test_loop.h"
#include "tests/shared/disk/driven_log.h"

namespace millrace::disk {
namespace {

class ColdRead : public DrivenLog {
 protected:
  /// Forgets what the page cache has of a segment that is durable.
  void forget(std::uint32_t number) {
    const File file(::open(segment(number).c_str(), O_RDONLY | O_CLOEXEC));
    ::posix_fadvise(file.fd(), 0, 0, POSIX_FADV_DONTNEED);
  }
  /// On its loop: from outside, a task could end before its cancellation arrives.
  static Task<> end(Nursery& nursery) {
    nursery.stop();
    co_await nursery.join();
  }
};

TEST_F(ColdRead, APageThatIsNotInTheCacheIsReadBesideTheLoop) {
  TestLoop loop;
  at.wall = loop.clock().wall();
  open();
  const auto made = job();
  const auto holder = running(made, 400);
  ASSERT_TRUE(append(made, holder, 400, 1, JobState::succeeded));
  reopen();  // which makes it durable
  forget(1);
  const auto page = log->read(made.id, 0, at.wall, Patience::none);
  if (page) GTEST_SKIP() << "this file system keeps what it should forget";
  EXPECT_EQ(page.error(), Errc::timed_out);
  SegmentEventLog port(loop.clock(), *log);
  const auto read = loop.get(port.read(made.id, 0));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->lines, lines(1, 401));
}

TEST_F(ColdRead, APortMayGoWhileItsReadIsOnTheWay) {
  TestLoop loop;
  at.wall = loop.clock().wall();
  open();
  const auto made = job();
  ended(made, 400);
  for (int i = 0; i < 50; ++i) {
    reopen();
    forget(1);
    auto port = std::make_unique<SegmentEventLog>(loop.clock(), *log);
    Nursery nursery(loop.clock());
    const auto read = [](SegmentEventLog& from, JobId id) -> Task<> {
      const auto page = co_await from.read(id, 0);
      EXPECT_TRUE(page);
    };
    nursery.start(read(*port, made.id));
    loop.run_one(loop.clock().sleep_for(0ms));
    loop.run_one(end(nursery));
    port.reset();
  }
}

}  // namespace
}  // namespace millrace::disk
