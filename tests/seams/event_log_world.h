#pragma once
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "shared/event_log.h"
#include "shared/runtime/limits.h"
#include "shared/runtime/signal.h"
#include "tests/seams/test_loop.h"

namespace millrace {

/// One log and ways to reach and to harm it. Its leases last `lease_for`. Jobs of earlier tests may
/// stand in it: each test takes ids of its own.
class LogWorld {
 public:
  static constexpr Duration lease_for = 150ms;

  virtual ~LogWorld() = default;
  /// Why it cannot be reached from here, and what to do about it; empty when it can.
  virtual std::string missing() const { return {}; }
  /// A way in, as one loop of one process has it; what keeps it up runs in `tasks`.
  virtual std::unique_ptr<EventLog> port(Clock& clock, Nursery& tasks) = 0;
  /// The log loses all it has of this job.
  virtual void lose(const JobId& id) = 0;
  /// The log loses the last event of this job, as a crash of its disk would.
  virtual void lose_last_event(const JobId& id) = 0;
  /// Lists a job as live in its session, whatever its state is; nothing where that cannot be.
  virtual void list_in_session(const Job&) {}
};

using MakeLogWorld = std::unique_ptr<LogWorld> (*)();

/// Hears one job and keeps it all.
class HeardJob final : public LogWatcher {
 public:
  explicit HeardJob(Clock& clock) : changed_(clock) {}

  void on_lines(std::string_view heard) noexcept override {
    lines += heard;
    if (on_each) on_each();
    changed_.notify();
  }
  void on_uncertain() noexcept override {
    ++uncertain;
    changed_.notify();
  }
  Signal& changed() { return changed_; }

  std::string lines;
  int uncertain = 0;
  std::function<void()> on_each;  ///< while being told

 private:
  Signal changed_;
};

class HeardSession final : public SessionWatcher {
 public:
  explicit HeardSession(Clock& clock) : changed_(clock) {}

  void on_job(const JobId& id) noexcept override {
    jobs.push_back(id);
    changed_.notify();
  }
  void on_uncertain() noexcept override {
    ++uncertain;
    changed_.notify();
  }
  Signal& changed() { return changed_; }

  std::vector<JobId> jobs;
  int uncertain = 0;

 private:
  Signal changed_;
};

class EventLogSuite : public testing::TestWithParam<MakeLogWorld> {
 protected:
  void SetUp() override {
    const auto missing = world->missing();
    if (!missing.empty()) GTEST_SKIP() << missing;
    log = &open();
  }
  void TearDown() override {
    tasks.stop();
    loop.run_one(tasks.join());
  }

  /// One more way in, as another process has it.
  EventLog& open() {
    EventLog& port = *ports.emplace_back(world->port(loop.clock(), tasks));
    EXPECT_TRUE(eventually([&] { return port.reachable(); }));
    return port;
  }

  // --- waiting
  /// Runs the loop until `holds`; false when it does not within five seconds.
  bool eventually(std::function<bool()> holds) {
    return loop.get(poll(loop.clock(), std::move(holds)));
  }
  /// The same, woken by whoever changes what is looked at.
  bool eventually(Signal& changed, std::function<bool()> holds) {
    return loop.get(wait(loop.clock(), changed, std::move(holds)));
  }
  /// Asks again and again, where asking itself runs the loop.
  bool until(const std::function<bool()>& holds) {
    const Instant end = loop.clock().now() + 5s;
    while (!holds()) {
      if (loop.clock().now() >= end) return false;
      sleep(1ms);
    }
    return true;
  }
  void sleep(Duration time) { loop.run_one(loop.clock().sleep_for(time)); }

  // --- jobs
  Job job(std::string session = "") {
    Job made;
    made.id = new_job_id(loop.clock().wall(), random);
    made.tenant = tenant;
    made.session = std::move(session);
    made.created_at = loop.clock().wall();
    made.deadline = made.created_at + std::chrono::hours(24);
    return made;
  }
  Token token() { return new_token(random); }
  static std::string line(Seq seq, std::string_view type = "delta", std::string_view text = "x") {
    return std::to_string(seq) + " " + std::string(type) + R"( {"seq":)" + std::to_string(seq) +
           R"(,"text":")" + std::string(text) + "\"}\n";
  }
  static std::string lines(Seq first, Seq last) {
    std::string all;
    for (Seq seq = first; seq <= last; ++seq) all += line(seq);
    return all;
  }

  // --- calls, each run to its end
  Result<Accepted> accept(const Job& job, std::string_view print = "print") {
    return loop.get(log->accept(job, print, line(1, "queued")));
  }
  Result<Begun> begin(const Job& job, const Token& token, Seq known = 0,
                      bool begun_before = false) {
    return begin_as(
        {.job = job, .token = token, .worker = "w", .known = known, .begun_before = begun_before});
  }
  Result<Begun> force(const Job& job, const Token& token) {
    return begin_as({.job = job, .token = token, .worker = "w", .force = true});
  }
  Result<Begun> begin_as(const BeginRequest& request) { return loop.get(log->begin(request)); }
  /// `count` deltas after `expected`.
  Result<Appended> append(const Job& job, const Token& token, Seq expected, std::uint32_t count,
                          std::optional<JobState> state = {}) {
    return append_lines(job, token, expected, count, lines(expected + 1, expected + count), state);
  }
  Result<Appended> append_lines(const Job& job, const Token& token, Seq expected,
                                std::uint32_t count, const std::string& text,
                                std::optional<JobState> state = {}) {
    return loop.get(log->append({.id = job.id,
                                 .token = token,
                                 .expected = expected,
                                 .count = count,
                                 .lines = text,
                                 .state = state}));
  }
  Result<LogPage> read(const Job& job, Seq after = 0) { return loop.get(log->read(job.id, after)); }
  std::optional<LogState> state(const Job& job) {
    const auto found = loop.get(log->states(std::span(&job.id, 1)));
    EXPECT_TRUE(found && found->size() == 1);
    return found ? found->front() : std::nullopt;
  }
  /// Waits until nobody's lease stands.
  void let_lapse(const Job& job) {
    for (auto stands = state(job); stands && stands->held; stands = state(job)) sleep(5ms);
  }
  /// Begun once, and numbered up to `last` (1 is `queued`).
  Token running(const Job& job, Seq last = 1) {
    EXPECT_TRUE(accept(job));
    const auto holder = token();
    const auto begun = begin(job, holder);
    EXPECT_TRUE(begun && begun->outcome == Begun::Outcome::granted);
    if (last > 1) {
      EXPECT_TRUE(append(job, holder, 1, static_cast<std::uint32_t>(last - 1)));
    }
    return holder;
  }
  /// Takes the lease as soon as the one that stands has lapsed.
  Result<Begun> take_over(const Job& job, const Token& token) {
    auto begun = begin(job, token);
    while (begun && begun->outcome == Begun::Outcome::busy) {
      sleep(begun->busy_for);
      begun = begin(job, token);
    }
    return begun;
  }

  SystemRandom random;
  const std::string tenant = "t" + new_token(random).str();
  TestLoop loop;
  Nursery tasks{loop.clock()};
  std::unique_ptr<LogWorld> world = GetParam()();
  std::vector<std::unique_ptr<EventLog>> ports;
  EventLog* log = nullptr;

 private:
  static Task<bool> poll(Clock& clock, std::function<bool()> holds) {
    const Instant end = clock.now() + 5s;
    while (!holds()) {
      if (clock.now() >= end) co_return false;
      co_await clock.sleep_for(1ms);
    }
    co_return true;
  }
  static Task<bool> wait(Clock& clock, Signal& changed, std::function<bool()> holds) {
    const Instant end = clock.now() + 5s;
    while (!holds()) {
      const bool woken = co_await changed.wait_until(end);
      if (!woken) co_return false;
    }
    co_return true;
  }
};

}  // namespace millrace
