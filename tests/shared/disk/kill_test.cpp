#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <map>

#include "shared/disk/segment_event_log.h"
#include "shared/runtime/loop_clock.h"
#include "shared/runtime/nursery.h"
#include "tests/shared/disk/driven_log.h"

namespace millrace::disk {
namespace {

/// A process of its own that appends to its jobs, restarts none, and tells through a pipe of every
/// event that a watcher heard. It ends by being killed.
class Appender {
 public:
  Appender(SegmentLog::Options options, std::vector<Job> jobs) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::close(ends[0]);
      append_for_ever(std::move(options), std::move(jobs), ends[1]);
    }
    ::close(ends[1]);
    heard_ = File(ends[0]);
  }
  ~Appender() { kill(); }

  /// SIGKILL after it has told of so many events; the last number heard of each job.
  std::map<std::size_t, Seq> kill_after(std::size_t events) {
    std::map<std::size_t, Seq> last;
    Told told{};
    for (std::size_t i = 0; i < events && next(told); ++i) last[told.job] = told.seq;
    kill();
    while (next(told)) last[told.job] = told.seq;  // what it still got out
    return last;
  }

 private:
  struct Told {
    std::size_t job;
    Seq seq;
  };
  struct Teller final : LogWatcher {
    void on_lines(std::string_view lines) noexcept override {
      EventLine event;
      while (next_event(lines, event)) {
        const Told told{job, event.seq};
        if (::write(pipe, &told, sizeof told) != sizeof told) ::_exit(1);
      }
    }
    void on_uncertain() noexcept override {}
    std::size_t job = 0;
    int pipe = -1;
  };

  static Task<> write_on(SegmentEventLog& log, Job job, Token token, Seq last) {
    for (;; ++last) {
      const std::string line =
          std::to_string(last + 1) + " delta {\"n\":" + std::to_string(last + 1) + "}\n";
      const auto appended = co_await log.append(
          {.id = job.id, .token = token, .expected = last, .count = 1, .lines = line, .state = {}});
      if (!appended) ::_exit(2);
      const auto executor = co_await asio::this_coro::executor;
      co_await asio::post(executor, use_task);  // lets the watchers speak
    }
  }
  static Task<> begin_and_write(SegmentEventLog& log, Job job, Token token) {
    const auto begun =
        co_await log.begin({.job = job, .token = token, .worker = "w", .begun_before = true});
    if (!begun || begun->gap_from) ::_exit(3);
    co_await write_on(log, job, token, begun->last);
  }

  [[noreturn]] static void append_for_ever(SegmentLog::Options options, std::vector<Job> jobs,
                                           int pipe) {
    SegmentLog log(std::move(options), WallTime());
    asio::io_context loop(1);
    LoopClock clock(loop);
    SegmentEventLog port(clock, log);
    SystemRandom random;
    Nursery nursery(clock);
    std::vector<Teller> tellers(jobs.size());
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      tellers[i].job = i;
      tellers[i].pipe = pipe;
      port.watch(jobs[i].id, tellers[i]);
      nursery.start(begin_and_write(port, jobs[i], new_token(random)));
    }
    loop.run();
    ::_exit(4);
  }
  bool next(Told& told) const { return ::read(heard_.fd(), &told, sizeof told) == sizeof told; }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

  pid_t pid_ = -1;
  File heard_;
};

class LogKill : public DrivenLog {};

TEST_F(LogKill, WhatAReaderHeardIsThereAfterAKillAtAnyPoint) {
  options.segment_bytes = 64 * 1024;
  std::vector<Job> jobs;
  for (int i = 0; i < 5; ++i) jobs.push_back(job());
  open();
  for (const Job& made : jobs) running(made);
  log.reset();
  std::map<std::size_t, Seq> heard;
  for (int round = 0; round < 25; ++round) {
    Appender appender(options, jobs);
    const auto last = appender.kill_after(1 + static_cast<std::size_t>(random.next() % 2000));
    ASSERT_FALSE(last.empty());
    for (const auto& [index, seq] : last) {
      ASSERT_GT(seq, heard[index]) << "a number was given twice";
      heard[index] = seq;
    }
    open();
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      const auto stands = state(jobs[i]);
      ASSERT_TRUE(stands);
      ASSERT_GE(stands->last, heard[i]) << "round " << round;
      Seq next = 1;
      const std::string text = all(jobs[i]);
      EventLine event;
      for (std::string_view rest = text; next_event(rest, event); ++next)
        ASSERT_EQ(event.seq, next);
      ASSERT_EQ(next, stands->last + 1);
    }
    log.reset();
  }
}

}  // namespace
}  // namespace millrace::disk
