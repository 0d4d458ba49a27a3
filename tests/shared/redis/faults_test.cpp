#include <gtest/gtest.h>

#include "shared/contract/keys.h"
#include "shared/redis/event_log.h"
#include "tests/seams/test_loop.h"
#include "tests/shared/redis/redis_server.h"

/// What becomes of callers and watchers when Redis is killed, stopped, emptied or refuses.
namespace millrace {
namespace {

constexpr Duration command_timeout = 150ms;

struct Heard final : LogWatcher {
  void on_lines(std::string_view more) noexcept override { lines += more; }
  void on_uncertain() noexcept override { ++uncertain; }
  std::string lines;
  int uncertain = 0;
};

class RedisFaults : public testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::installed())
      GTEST_SKIP() << "redis-server is not installed; ./ops/setup installs it";
    // With `everysec` a write may wait two seconds behind a slow fsync, and go with a kill.
    connect({"--appendonly", "yes", "--appendfsync", "always"});
    ASSERT_TRUE(until([&] { return log->reachable(); }));
  }
  void TearDown() override {
    upkeep.stop();
    loop.run_one(upkeep.join());
  }

  void connect(std::vector<std::string> arguments, std::string userinfo = "") {
    server = std::make_unique<RedisServer>(std::move(arguments));
    const auto url = "redis://" + userinfo + "127.0.0.1:" + std::to_string(server->port());
    log = std::make_unique<RedisEventLog>(
        loop.clock(),
        RedisEventLog::Options{
            .url = url, .events_ttl = 100ms, .lease_for = 60s, .command_timeout = command_timeout});
    upkeep.start(log->run());
  }

  template <class T>
  T get(Task<T> task) {
    return loop.get(std::move(task));
  }
  bool until(std::function<bool()> holds) {
    const Instant late = loop.clock().now() + 10s;
    while (!holds() && loop.clock().now() < late) loop.run_one(loop.clock().sleep_for(1ms));
    return holds();
  }

  static std::string lines(Seq first, Seq last) {
    std::string all;
    for (Seq seq = first; seq <= last; ++seq)
      all += std::to_string(seq) + (seq == 1 ? " queued {}\n" : " delta {}\n");
    return all;
  }
  Job job() {
    Job made;
    made.id = new_job_id(loop.clock().wall(), random);
    made.created_at = loop.clock().wall();
    made.deadline = made.created_at + 1h;
    return made;
  }
  Task<Result<Appended>> appending(Job to, Token token, Seq expected, std::uint32_t count,
                                   std::optional<JobState> state = {}) {
    const std::string text = lines(expected + 1, expected + count);
    const AppendRequest request{.id = to.id,
                                .token = token,
                                .expected = expected,
                                .count = count,
                                .lines = text,
                                .state = state};
    const auto appended = co_await log->append(request);
    co_return appended;
  }
  Result<Appended> append(const Job& to, const Token& token, Seq expected, std::uint32_t count,
                          std::optional<JobState> state = {}) {
    return get(appending(to, token, expected, count, state));
  }
  Result<Begun> begin(const Job& of, const Token& token, Seq known = 0, bool begun_before = false) {
    return get(log->begin(
        {.job = of, .token = token, .worker = "w", .known = known, .begun_before = begun_before}));
  }
  /// Its log ends at `last`.
  Token running(const Job& made, Seq last) {
    EXPECT_TRUE(get(log->accept(made, "f", lines(1, 1))));
    const Token token = new_token(random);
    EXPECT_TRUE(begin(made, token));
    EXPECT_TRUE(append(made, token, 1, static_cast<std::uint32_t>(last - 1)));
    return token;
  }
  std::string read(const Job& made) {
    const auto page = get(log->read(made.id, 0));
    return page ? page->lines : std::string(to_string(page.error()));
  }
  void restart(bool with_data) {
    server->kill();
    EXPECT_TRUE(until([&] { return !log->reachable(); }));
    if (!with_data) server->forget_data();
    server->start();
    EXPECT_TRUE(until([&] { return log->reachable(); }));
  }

  SystemRandom random;
  TestLoop loop;
  Nursery upkeep{loop.clock()};
  std::unique_ptr<RedisServer> server;
  std::unique_ptr<RedisEventLog> log;
};

// --- killed and started again

TEST_F(RedisFaults, WatchersAreToldAfterARestartAndHearOn) {
  const Job made = job();
  const Job silent = job();
  const Token token = running(made, 2);
  Heard heard;
  Heard heard_silent;
  log->watch(made.id, heard);
  log->watch(silent.id, heard_silent);
  ASSERT_TRUE(until([&] { return heard.uncertain == 1 && heard_silent.uncertain == 1; }));
  restart(true);
  ASSERT_TRUE(until([&] { return heard.uncertain == 2 && heard_silent.uncertain == 2; }));
  ASSERT_TRUE(begin(made, token, 2));
  ASSERT_TRUE(append(made, token, 2, 3));
  ASSERT_TRUE(until([&] { return heard.lines == lines(3, 5); }));
  log->unwatch(made.id, heard);
  log->unwatch(silent.id, heard_silent);
}

TEST_F(RedisFaults, AHolderBeginsAgainAfterARestartAndLosesNothingThatWasKept) {
  const Job made = job();
  const Token token = running(made, 5);
  restart(true);
  EXPECT_EQ(append(made, token, 5, 1).error(), Errc::lost) << "another server";
  const auto begun = begin(made, token, 5, true);
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->outcome, Begun::Outcome::granted);
  EXPECT_EQ(begun->last, 5u);
  EXPECT_FALSE(begun->gap_from);
  EXPECT_TRUE(append(made, token, 5, 1));
  EXPECT_EQ(read(made), lines(1, 6));
}

TEST_F(RedisFaults, AHolderGoesOnWithAGapAfterARestartWithoutData) {
  const Job made = job();
  const Token token = running(made, 5);
  restart(false);
  EXPECT_EQ(append(made, token, 5, 1).error(), Errc::lost);
  const auto begun = begin(made, token, 5, true);
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->gap_from, Seq{1});
  EXPECT_GT(begun->last, Seq{1'000'000'000'000'000});
  EXPECT_TRUE(append(made, token, begun->last, 1));
}

TEST_F(RedisFaults, AnotherWorkerCannotTrustTheTailOfARestartedServer) {
  const Job made = job();
  running(made, 5);
  server->command("HSET " + keys::job(made.id) + " lease 1");  // its holder has died
  restart(true);
  const auto begun = begin(made, new_token(random), 0, true);
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->outcome, Begun::Outcome::granted);
  EXPECT_EQ(begun->gap_from, Seq{6});
}

TEST_F(RedisFaults, AFlushUnderAHolderIsLostOnceAndThenToldAsAGap) {
  const Job made = job();
  const Token token = running(made, 5);
  Heard heard;
  log->watch(made.id, heard);
  ASSERT_TRUE(until([&] { return heard.uncertain == 1; }));
  ASSERT_EQ(server->command("FLUSHALL"), "+OK");
  EXPECT_EQ(append(made, token, 5, 1).error(), Errc::lost);
  EXPECT_EQ(read(made), to_string(Errc::not_found));
  const auto begun = begin(made, token, 5, true);
  ASSERT_TRUE(begun);
  ASSERT_TRUE(begun->gap_from);
  EXPECT_GT(begun->last, 5u);
  ASSERT_TRUE(append(made, token, begun->last, 2, JobState::succeeded));
  EXPECT_EQ(read(made), lines(begun->last + 1, begun->last + 2));
  EXPECT_TRUE(until([&] { return heard.lines == lines(begun->last + 1, begun->last + 2); }));
  log->unwatch(made.id, heard);
}

TEST_F(RedisFaults, AJobThatWaitedThroughARestartHasNoGap) {
  const Job made = job();
  ASSERT_TRUE(get(log->accept(made, "f", lines(1, 1))));
  restart(true);
  const auto begun = begin(made, new_token(random));
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->last, 1u);
  EXPECT_FALSE(begun->gap_from);
}

TEST_F(RedisFaults, AKilledServerEndsCallsAtOnce) {
  const Job made = job();
  const Token token = running(made, 2);
  server->kill();
  ASSERT_TRUE(until([&] { return !log->reachable(); }));
  const Instant before = loop.clock().now();
  EXPECT_EQ(append(made, token, 2, 1).error(), Errc::unavailable);
  EXPECT_LT(loop.clock().now() - before, command_timeout);
}

// --- stopped

TEST_F(RedisFaults, AStoppedServerEndsCallsInTimeAndIsFoundAgain) {
  const Job made = job();
  const Token token = running(made, 2);
  Heard heard;
  log->watch(made.id, heard);
  ASSERT_TRUE(until([&] { return heard.uncertain == 1; }));
  server->pause();
  const Instant before = loop.clock().now();
  EXPECT_EQ(append(made, token, 2, 1).error(), Errc::timed_out);
  const Duration took = loop.clock().now() - before;
  EXPECT_GE(took, command_timeout);
  EXPECT_LT(took, command_timeout + 150ms);
  EXPECT_FALSE(log->reachable());
  EXPECT_EQ(append(made, token, 2, 1).error(), Errc::unavailable);
  // Longer than the listening connection may be silent.
  loop.run_one(loop.clock().sleep_for(1500ms));
  server->resume();
  ASSERT_TRUE(until([&] { return log->reachable(); }));
  EXPECT_TRUE(append(made, token, 2, 1)) << "done once, whether or not the first arrived";
  EXPECT_EQ(read(made), lines(1, 3));
  ASSERT_TRUE(until([&] { return heard.uncertain >= 2; }));
  log->unwatch(made.id, heard);
}

TEST_F(RedisFaults, AServerThatStopsIsNoticedWithoutACall) {
  server->pause();
  EXPECT_TRUE(until([&] { return !log->reachable(); }));
  server->resume();
  EXPECT_TRUE(until([&] { return log->reachable(); }));
}

Task<> append_into(Task<Result<Appended>> appending, bool& answered) {
  const auto appended = co_await std::move(appending);
  answered = appended.has_value();
}

TEST_F(RedisFaults, ACallerThatIsCancelledLeavesTheOthersTheirAnswers) {
  const Job made = job();
  const Token token = running(made, 2);
  server->pause();
  Nursery caller(loop.clock());
  bool answered = false;
  caller.start(append_into(appending(made, token, 2, 1), answered));
  loop.run_one(loop.clock().sleep_for(5ms));
  caller.stop();
  loop.run_one(caller.join());
  EXPECT_FALSE(answered);
  server->resume();
  EXPECT_EQ(read(made), lines(1, 3)) << "it was on its way, its answer went to nobody";
  EXPECT_TRUE(get(log->states({&made.id, 1}))->front());
}

// --- refusing

TEST_F(RedisFaults, ForgottenScriptsAreSentAgain) {
  const Job made = job();
  const Token token = running(made, 2);
  for (Seq last = 2; last < 5; ++last) {
    ASSERT_EQ(server->command("SCRIPT FLUSH"), "+OK");
    EXPECT_TRUE(append(made, token, last, 1));
  }
  ASSERT_EQ(server->command("SCRIPT FLUSH"), "+OK");
  EXPECT_TRUE(get(log->cancel(made.id))->cancel_wanted);
  EXPECT_EQ(read(made), lines(1, 5));
}

TEST_F(RedisFaults, AServerOutOfMemoryWritesNothingAndSaysTryAgain) {
  const Job made = job();
  const Token token = running(made, 2);
  ASSERT_EQ(server->command("CONFIG SET maxmemory 1"), "+OK");
  EXPECT_EQ(append(made, token, 2, 2).error(), Errc::unavailable);
  EXPECT_EQ(append(made, token, 2, 2, JobState::succeeded).error(), Errc::unavailable);
  EXPECT_EQ(get(log->accept(job(), "f", lines(1, 1))).error(), Errc::unavailable);
  EXPECT_EQ(read(made), lines(1, 2));
  ASSERT_EQ(server->command("CONFIG SET maxmemory 0"), "+OK");
  EXPECT_TRUE(append(made, token, 2, 2));
  EXPECT_EQ(read(made), lines(1, 4));
}

TEST_F(RedisFaults, ARecordThatIsNoneIsCorrupt) {
  const Job made = job();
  server->command("SET " + keys::job(made.id) + " x");
  EXPECT_EQ(get(log->read(made.id, 0)).error(), Errc::corrupt);
}

TEST_F(RedisFaults, NothingIsSentBeforeThereIsAConnection) {
  RedisEventLog idle(loop.clock(), {.url = server->url()});
  EXPECT_FALSE(idle.reachable());
  EXPECT_EQ(get(idle.read(job().id, 0)).error(), Errc::unavailable);
}

TEST_F(RedisFaults, AServerThatComesUpLaterIsFound) {
  server->kill();
  const RedisEventLog::Options options{.url = server->url(), .command_timeout = command_timeout};
  RedisEventLog early(loop.clock(), options);
  Nursery upkeep_of_early(loop.clock());
  upkeep_of_early.start(early.run());
  Heard heard;
  const Job made = job();
  early.watch(made.id, heard);
  loop.run_one(loop.clock().sleep_for(50ms));
  EXPECT_FALSE(early.reachable());
  EXPECT_EQ(get(early.accept(made, "f", lines(1, 1))).error(), Errc::unavailable);
  server->start();
  EXPECT_TRUE(until([&] { return early.reachable() && heard.uncertain == 1; }));
  EXPECT_TRUE(get(early.accept(made, "f", lines(1, 1))));
  early.unwatch(made.id, heard);
  upkeep_of_early.stop();
  loop.run_one(upkeep_of_early.join());
}

TEST_F(RedisFaults, AHostMayBeAName) {
  const auto url = "redis://localhost:" + std::to_string(server->port());
  RedisEventLog named(loop.clock(), {.url = url});
  Nursery upkeep_of_named(loop.clock());
  upkeep_of_named.start(named.run());
  EXPECT_TRUE(until([&] { return named.reachable(); }));
  upkeep_of_named.stop();
  loop.run_one(upkeep_of_named.join());
}

TEST_F(RedisFaults, ALogHasNoEndOfLifeUntilItsJobHasEnded) {
  const Job made = job();
  const Token token = running(made, 2);
  EXPECT_EQ(server->command("PTTL " + keys::job(made.id)), ":-1");
  EXPECT_EQ(server->command("PTTL " + keys::events(made.id)), ":-1");
  ASSERT_TRUE(append(made, token, 2, 1, JobState::succeeded));
  EXPECT_TRUE(until([&] {
    return server->command("EXISTS " + keys::job(made.id) + " " + keys::events(made.id)) == ":0";
  }));
}

// --- passwords

class RedisPasswords : public RedisFaults {
 protected:
  void SetUp() override {
    if (!RedisServer::installed())
      GTEST_SKIP() << "redis-server is not installed; ./ops/setup installs it";
  }
};

TEST_F(RedisPasswords, TheRightOneOpensBothConnections) {
  connect({"--requirepass", "s3cret/"}, ":s3cret%2F@");
  ASSERT_TRUE(until([&] { return log->reachable(); }));
  const Job made = job();
  Heard heard;
  log->watch(made.id, heard);
  ASSERT_TRUE(until([&] { return heard.uncertain == 1; }));
  running(made, 2);
  EXPECT_TRUE(until([&] { return heard.lines == lines(1, 2); }));
  log->unwatch(made.id, heard);
}

TEST_F(RedisPasswords, AWrongOneIsNeverReachable) {
  connect({"--requirepass", "s3cret"}, ":wrong@");
  loop.run_one(loop.clock().sleep_for(100ms));
  EXPECT_FALSE(log->reachable());
  EXPECT_EQ(get(log->read(job().id, 0)).error(), Errc::unavailable);
}

}  // namespace
}  // namespace millrace
