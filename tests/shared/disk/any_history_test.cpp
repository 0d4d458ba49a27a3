#include <map>

#include "tests/shared/disk/driven_log.h"

namespace millrace::disk {
namespace {

/// What a job must look like, kept beside the log.
struct Expected {
  Job job;
  Token token;
  bool held = false;
  JobState state = JobState::queued;
  std::uint32_t errors = 0;
  std::uint32_t lost_runs = 0;
  bool cancel_wanted = false;
  Seq last = 1;
  std::string lines;
  WallTime ended_at{};
};

/// Histories drawn from a seed: jobs that come, run, write and end, over starts, kills, segments
/// that turn and are removed.
class AnyHistory : public DrivenLog, public testing::WithParamInterface<std::uint64_t> {
 protected:
  AnyHistory() {
    options.segment_bytes = 2048 + draw(8192);
    open();
  }

  std::uint64_t draw(std::uint64_t below) { return chance.next() % below; }
  Expected* any(bool live) {
    std::vector<Expected*> fit;
    for (auto& [id, one] : jobs)
      if (terminal(one.state) != live) fit.push_back(&one);
    return fit.empty() ? nullptr : fit[draw(fit.size())];
  }

  void come() {
    auto made = job(draw(2) == 0 ? "s" : "");
    if (draw(3) == 0) made.id = derived_job_id("tenant", std::to_string(chance.next()));
    ASSERT_TRUE(accept(made));
    jobs[made.id] = {.job = made, .token = {}, .lines = lines(1, 1)};
  }
  void run() {
    Expected* const one = any(true);
    if (!one || one->held) return;
    one->token = token();
    const auto begun = begin(one->job, one->token, 0, one->last > 1);
    ASSERT_TRUE(begun);
    ASSERT_EQ(begun->outcome, Begun::Outcome::granted);
    ASSERT_EQ(begun->last, one->last);
    ASSERT_EQ(begun->errors, one->errors);
    ASSERT_EQ(begun->lost_runs, one->lost_runs);
    ASSERT_EQ(begun->cancel_wanted, one->cancel_wanted);
    ASSERT_FALSE(begun->gap_from);
    one->state = JobState::running;
    one->held = true;
  }
  void write() {
    Expected* const one = any(true);
    if (!one || !one->held) return;
    const auto count = static_cast<std::uint32_t>(draw(5));
    const std::string text(draw(4) == 0 ? draw(3000) : draw(30), 'x');
    std::optional<JobState> state;
    if (draw(6) == 0) state = static_cast<JobState>(draw(7));
    if (state == JobState::running) state.reset();
    const auto appended = append(one->job, one->token, one->last, count, state, text);
    ASSERT_TRUE(appended);
    ASSERT_EQ(appended->cancel_wanted, one->cancel_wanted);
    one->lines += lines(one->last + 1, one->last + count, text);
    one->last += count;
    if (!state) return;
    one->state = *state;
    one->held = false;
    if (state == JobState::retrying) ++one->errors;
    one->ended_at = at.wall;
  }
  void leave() {
    Expected* const one = any(true);
    if (!one) return;
    if (draw(2) == 0) {
      ASSERT_TRUE(log->cancel(one->job.id, at));
      one->cancel_wanted = true;
    } else if (one->last == 1 && one->state == JobState::queued && !one->held &&
               one->errors + one->lost_runs == 0 && !state(one->job)->attempt) {
      ASSERT_TRUE(log->withdraw(one->job.id));
      jobs.erase(one->job.id);
    }
  }
  void wait() {
    pass(draw(4) == 0 ? 5h : 11s);
    lapse();
    std::erase_if(jobs, [&](const auto& one) {
      return terminal(one.second.state) && one.second.ended_at + options.events_ttl <= at.wall;
    });
    log->purge_soon(at.wall);
  }
  void start_again() {
    draw(2) == 0 ? log.reset() : crash();
    open();
    lapse();
  }
  /// A lease that lapsed counts when somebody takes it.
  void lapse() {
    for (auto& [id, one] : jobs)
      if (std::exchange(one.held, false)) ++one.lost_runs;
  }

  void check() {
    std::size_t in_session = 0;
    for (const auto& [id, one] : jobs) {
      ASSERT_EQ(all(one.job), one.lines) << id.str();
      const auto stands = state(one.job);
      ASSERT_TRUE(stands);
      ASSERT_EQ(stands->state, one.state);
      ASSERT_EQ(stands->last, one.last);
      ASSERT_EQ(stands->cancel_wanted, one.cancel_wanted);
      ASSERT_EQ(stands->held, one.held);
      if (!one.job.session.empty() && !terminal(one.state)) ++in_session;
      const Seq after = draw(one.last + 1);
      const auto page = log->read(id, after, at.wall, Patience::any);
      ASSERT_TRUE(page);
      ASSERT_TRUE(one.lines.ends_with(page->lines));
    }
    ASSERT_EQ(log->session_jobs("tenant", "s").size(), in_session);
  }

  SeededRandom chance{GetParam()};
  std::map<JobId, Expected> jobs;
};

TEST_P(AnyHistory, LeavesTheLogAsItWasWritten) {
  for (int step = 0; step < 400 && !HasFatalFailure(); ++step) {
    const auto what = draw(100);
    if (what < 15)
      come();
    else if (what < 35)
      run();
    else if (what < 85)
      write();
    else if (what < 92)
      leave();
    else if (what < 95)
      wait();
    else if (what < 97)
      start_again();
    else
      check();
  }
  if (!HasFatalFailure()) check();
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnyHistory, testing::Range<std::uint64_t>(1, 25));

}  // namespace
}  // namespace millrace::disk
