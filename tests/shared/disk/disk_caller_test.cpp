#include "shared/disk/disk_caller.h"

#include <gtest/gtest.h>

#include <future>

#include "tests/seams/test_loop.h"

namespace millrace::disk {
namespace {

/// A disk that answers nothing until it is let go.
class StuckDisk {
 public:
  explicit StuckDisk(DiskThreads& threads) {
    threads.push([this, free = freed_.get_future()]() mutable {
      begun_.set_value();
      free.wait();
    });
    begun_.get_future().wait();
  }
  ~StuckDisk() { let_go(); }
  void let_go() {
    if (!std::exchange(free_, true)) freed_.set_value();
  }

 private:
  std::promise<void> begun_;
  std::promise<void> freed_;
  bool free_ = false;
};

Result<int> answer() {
  return 7;
}

TEST(DiskCalls, BringTheirAnswerToTheLoop) {
  TestLoop loop;
  DiskThreads threads(2, 10);
  DiskCaller caller(loop.clock(), threads);
  EXPECT_EQ(loop.get(caller.ask<int>(10s, answer)), 7);
  EXPECT_EQ(loop.get(caller.ask<int>(10s, [] { return Result<int>(Failure(Errc::not_found)); })),
            Result<int>(Failure(Errc::not_found)));
}

TEST(DiskCalls, ADiskThatHangsHoldsNobodyForLonger) {
  TestLoop loop;
  DiskThreads threads(1, 10);
  DiskCaller caller(loop.clock(), threads);
  StuckDisk disk(threads);
  EXPECT_EQ(loop.get(caller.ask<int>(1ms, answer)).error(), Errc::timed_out);
  disk.let_go();
  EXPECT_EQ(loop.get(caller.ask<int>(10s, answer)), 7);
}

TEST(DiskCalls, MoreThanMayWaitAreRefused) {
  TestLoop loop;
  DiskThreads threads(1, 2);
  DiskCaller caller(loop.clock(), threads);
  StuckDisk disk(threads);
  threads.push([] {});
  threads.push([] {});
  EXPECT_EQ(loop.get(caller.ask<int>(10s, answer)).error(), Errc::overloaded);
}

TEST(DiskCalls, AnAnswerToWhoHasGoneIsDropped) {
  TestLoop loop;
  DiskThreads threads(1, 10);
  StuckDisk disk(threads);
  std::promise<void> done;
  {
    DiskCaller caller(loop.clock(), threads);
    EXPECT_EQ(loop.get(caller.ask<int>(1ms, answer)).error(), Errc::timed_out);
  }
  threads.push([&done] { done.set_value(); });
  disk.let_go();
  done.get_future().wait();
}

}  // namespace
}  // namespace millrace::disk
