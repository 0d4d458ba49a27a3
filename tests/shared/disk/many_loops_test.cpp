#include <boost/asio/post.hpp>
#include <functional>
#include <thread>

#include "shared/disk/segment_event_log.h"
#include "shared/runtime/loop_clock.h"
#include "shared/runtime/nursery.h"
#include "tests/shared/disk/driven_log.h"

namespace millrace::disk {
namespace {

/// A loop on a thread of its own, with its port; runs the task it was made for.
class PortThread {
 public:
  using Work = std::function<Task<>(SegmentEventLog&, Clock&)>;
  PortThread(SegmentLog& log, Work work) : thread_(&PortThread::run, std::ref(log), work) {}
  void join() { thread_.join(); }

 private:
  static void run(SegmentLog& log, const Work& work) {
    asio::io_context loop(1);
    LoopClock clock(loop);
    SegmentEventLog port(clock, log);
    Nursery nursery(clock);
    nursery.start(work(port, clock));
    loop.run();
  }

  std::thread thread_;
};

/// Follows one job as a relay does: what it hears, and a read wherever that does not follow.
class Follower final : public LogWatcher {
 public:
  explicit Follower(Clock& clock) : news_(clock) {}
  void on_lines(std::string_view lines) noexcept override {
    heard_ += lines;
    news_.notify();
  }
  void on_uncertain() noexcept override {
    uncertain_ = true;
    news_.notify();
  }

  Task<> follow(SegmentEventLog& log, JobId id, Seq end) {
    log.watch(id, *this);
    while (last_ < end) {
      if (std::exchange(uncertain_, false)) co_await catch_up(log, id);
      const std::string heard = std::exchange(heard_, {});
      if (!take(heard)) co_await catch_up(log, id);
      if (last_ < end && heard_.empty() && !uncertain_) co_await news_.wait();
    }
    log.unwatch(id, *this);
  }
  const std::string& text() const { return text_; }
  int holes() const { return holes_; }

 private:
  Task<> catch_up(SegmentEventLog& log, JobId id) {
    for (bool more = true; more;) {
      const auto page = co_await log.read(id, last_);
      more = page && page->more;
      if (page && !take(page->lines)) ++holes_;
    }
  }
  /// False at an event that does not follow.
  bool take(std::string_view lines) {
    EventLine event;
    while (next_event(lines, event)) {
      if (event.seq <= last_) continue;
      if (event.seq != last_ + 1) return false;
      text_ += event.whole;
      last_ = event.seq;
    }
    return true;
  }

  Signal news_;
  std::string heard_;
  std::string text_;
  Seq last_ = 0;
  int holes_ = 0;
  bool uncertain_ = false;
};

class ManyLoops : public DrivenLog {
 protected:
  static constexpr Seq events = 400;

  static Task<> write_jobs(SegmentEventLog& log, std::vector<Job> jobs) {
    SystemRandom random;
    const Token token = new_token(random);
    for (const Job& made : jobs) {
      const std::string first = lines(1, 1);
      const auto accepted = co_await log.accept(made, "print", first);
      EXPECT_TRUE(accepted && accepted->fresh);
      const auto begun = co_await log.begin({.job = made, .token = token, .worker = "w"});
      EXPECT_TRUE(begun);
    }
    for (Seq last = 1; last < events; ++last)
      for (const Job& made : jobs) {
        const std::string line = lines(last + 1, last + 1);
        std::optional<JobState> state;
        if (last + 1 == events) state = JobState::succeeded;
        const auto appended = co_await log.append({.id = made.id,
                                                   .token = token,
                                                   .expected = last,
                                                   .count = 1,
                                                   .lines = line,
                                                   .state = state});
        EXPECT_TRUE(appended);
      }
  }
  static Task<> follow_jobs(SegmentEventLog& log, Clock& clock, std::vector<Job> jobs) {
    Nursery nursery(clock);
    std::vector<std::unique_ptr<Follower>> followers;
    for (const Job& made : jobs) {
      followers.push_back(std::make_unique<Follower>(clock));
      nursery.start(followers.back()->follow(log, made.id, events));
    }
    co_await nursery.join();
    const std::string whole = lines(1, events);
    for (const auto& follower : followers) {
      EXPECT_EQ(follower->text(), whole);
      EXPECT_EQ(follower->holes(), 0);
    }
  }
};

TEST_F(ManyLoops, EveryReaderOfEveryLoopHasTheSameEvents) {
  options.segment_bytes = 128 * 1024;
  options.session_jobs_max = 1000;
  asio::io_context loop;
  at.wall = LoopClock(loop).wall();
  open();
  std::vector<Job> all_jobs;
  std::vector<PortThread> threads;
  threads.reserve(6);
  for (int writer = 0; writer < 3; ++writer) {
    std::vector<Job> mine;
    for (int i = 0; i < 10; ++i) mine.push_back(job("s"));
    all_jobs.insert(all_jobs.end(), mine.begin(), mine.end());
    threads.emplace_back(*log,
                         [mine](SegmentEventLog& port, Clock&) { return write_jobs(port, mine); });
  }
  for (int reader = 0; reader < 2; ++reader)
    threads.emplace_back(*log, [all_jobs](SegmentEventLog& port, Clock& clock) {
      return follow_jobs(port, clock, all_jobs);
    });
  for (auto& thread : threads) thread.join();
  log->settle();
  EXPECT_GT(SegmentLogLoss::segment(*log), 1u);
  reopen();
  for (const Job& made : all_jobs) ASSERT_EQ(all(made), lines(1, events));
  EXPECT_TRUE(log->session_jobs("tenant", "s").empty());
}

}  // namespace
}  // namespace millrace::disk
