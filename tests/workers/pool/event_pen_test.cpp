#include "workers/pool/event_pen.h"

#include "tests/workers/pool/world.h"

namespace millrace {
namespace {

struct Pen : ::testing::Test, PenOwner {
  World world;
  Job job = world.make_job();
  Token token = new_token(world.random);
  EventPen pen{world.log, world.clock, job, "w", token, *this};
  std::optional<Errc> stopped;
  int cancels = 0;
  Nursery tasks{world.clock};
  std::optional<Result<Begun>> begun;
  std::optional<Result<>> all_written;

  void on_cancel_wanted() noexcept override { ++cancels; }
  void on_pen_stopped(Errc why) noexcept override { stopped = why; }

  Task<> begin_task() {
    auto result = co_await pen.begin(EventPen::Before::nothing);
    begun = std::move(result);
  }
  Task<> written_task() {
    const auto result = co_await pen.written();
    all_written = result;
  }
  Task<> ready_task(bool& is_ready) {
    co_await pen.ready();
    is_ready = true;
  }
  Task<> may_act_task(std::optional<bool>& may) {
    const bool result = co_await pen.may_act();
    may = result;
  }
  Task<> close_task() { co_await pen.close(); }

  void SetUp() override {
    world.log.records[job.id].last = 1;  // `queued`
    tasks.start(begin_task());
    world.clock.run_for(10ms);
    ASSERT_TRUE(begun && *begun);
  }
  void TearDown() override {
    tasks.stop();
    tasks.start(close_task());
    world.clock.run_for(0s);
  }
  fake::Log::Record& record() { return world.log.records[job.id]; }
  void write_all() {
    all_written.reset();
    tasks.start(written_task());
    world.clock.run_for(1s);
    ASSERT_TRUE(all_written);
  }
};

TEST_F(Pen, WritesAtOnceWhenNothingIsUnderWay) {
  pen.delta("a");
  world.clock.run_for(world.log.latency);
  EXPECT_EQ(world.told(job), "delta");
}

TEST_F(Pen, JoinsWhatPilesUpWhileAWriteIsUnderWay) {
  world.log.latency = 10ms;
  const auto before = world.log.appends;
  for (int i = 0; i < 100; ++i) {
    pen.delta("x");
    world.clock.run_for(1ms);
  }
  world.clock.run_for(1s);
  EXPECT_EQ(world.events(job).size(), 100u);
  EXPECT_LE(world.log.appends - before, 12u);
}

TEST_F(Pen, OneReadOfTheUpstreamLeavesTogether) {
  for (int i = 0; i < 20; ++i) pen.delta("x");
  write_all();
  EXPECT_EQ(world.log.appends, 1u);
}

TEST_F(Pen, NoWriteCarriesMoreThanItsLimits) {
  std::size_t largest = 0;
  world.log.before_append = [&](const AppendRequest& request) {
    largest = std::max(largest, request.lines.size());
  };
  for (int i = 0; i < 3000; ++i) pen.delta("x");
  pen.delta(std::string(300'000, 'y'));
  write_all();
  EXPECT_LE(world.log.events_in_largest_append, limits::append_events_max);
  EXPECT_LE(largest, limits::append_bytes_max);
  EXPECT_EQ(world.readers_hold(job), std::string(3000, 'x') + std::string(300'000, 'y'));
}

TEST_F(Pen, AnAnswerThatWasLostIsAskedForAgainWithoutADuplicate) {
  world.log.append_faults.next(fake::Fault::answer_lost, 3);
  pen.delta("a");
  world.clock.run_for(10ms);
  pen.delta("b");
  write_all();
  EXPECT_EQ(world.told(job), "delta delta");
  EXPECT_EQ(world.readers_hold(job), "ab");
}

TEST_F(Pen, ARefusedWriteIsRepeatedUntilItIsIn) {
  world.log.append_faults.next(fake::Fault::refused, 5);
  pen.delta("a");
  world.clock.run_for(5s);
  EXPECT_EQ(world.told(job), "delta");
}

TEST_F(Pen, AServerThatWasAwayAndCameBackWholeCostsTheTurnNothing) {
  world.log.append_faults.next(fake::Fault::refused, 10);
  world.log.append_faults.next(fake::Fault::begin_first);
  pen.delta("a");
  world.clock.run_for(20s);
  pen.delta("b");
  world.clock.run_for(1s);
  EXPECT_FALSE(stopped);
  EXPECT_EQ(world.told(job), "delta delta");
}

TEST_F(Pen, AServerThatKeepsNoRecordIsGivenUp) {
  world.log.append_faults.next(fake::Fault::begin_first, 10);
  pen.delta("a");
  world.clock.run_for(20s);
  EXPECT_EQ(stopped, Errc::unavailable);
}

TEST_F(Pen, AWriteAsksForTheLeaseOnlyWhenItIsDue) {
  std::vector<bool> asked;
  world.log.before_append = [&](const AppendRequest& request) { asked.push_back(request.renew); };
  pen.delta("a");
  write_all();
  world.clock.run_for(limits::lease_renew_every);
  pen.delta("b");
  write_all();
  pen.delta("c");
  write_all();
  EXPECT_EQ(asked, (std::vector{false, true, false}));
}

TEST_F(Pen, StopsAtOnceAndSilentlyWhenTheLeaseIsAnothers) {
  pen.delta("a");
  write_all();
  world.log.steal(job.id);
  pen.delta("b");
  pen.delta("c");
  world.clock.run_for(5s);
  EXPECT_EQ(stopped, Errc::fenced);
  EXPECT_EQ(world.readers_hold(job), "a");
  const auto appends = world.log.appends;
  pen.delta("d");
  pen.renew();
  world.clock.run_for(5s);
  EXPECT_EQ(world.log.appends, appends);
}

TEST_F(Pen, ALostLogIsToldOfByGapAndSnapshotAndGoesOn) {
  pen.delta("a");
  pen.delta("b");
  write_all();
  world.log.lose_all();
  pen.delta("c");
  write_all();
  pen.delta("d");
  write_all();
  EXPECT_EQ(world.told(job), "gap snapshot delta");
  EXPECT_EQ(world.readers_hold(job), "abcd");
  const auto all = world.events(job);
  EXPECT_GT(all[0].seq, 1'000'000'000u) << "above any number given before";
  EXPECT_EQ(all[1].seq, all[0].seq + 1);
}

TEST_F(Pen, ALossWhileTheEndIsBeingWrittenEndsTheLogAllTheSame) {
  pen.delta("a");
  write_all();
  Outcome outcome{.state = JobState::succeeded,
                  .text = "a",
                  .finish_reason = "stop",
                  .model = {},
                  .usage = {},
                  .tool_calls = {},
                  .asides = {},
                  .error_code = {},
                  .error_message = {},
                  .retryable = false};
  world.log.lose_all();
  pen.end(outcome, false);
  write_all();
  EXPECT_EQ(world.told(job), "gap snapshot done");
  EXPECT_EQ(record().state, JobState::succeeded);
}

TEST_F(Pen, ALongTextSurvivesALossInPieces) {
  const std::string text(200'000, 'z');
  pen.delta(text);
  write_all();
  world.log.lose_all();
  pen.delta("!");
  write_all();
  EXPECT_EQ(world.readers_hold(job), text + "!");
}

TEST_F(Pen, ARenewalThatFindsTheRecordGoneWritesTheGap) {
  pen.delta("a");
  write_all();
  world.log.lose_all();
  pen.renew();
  world.clock.run_for(1s);
  EXPECT_EQ(world.told(job), "gap snapshot");
}

TEST_F(Pen, WritesRenewTheLease) {
  world.clock.run_for(6s);
  pen.delta("a");
  write_all();
  EXPECT_TRUE(pen.lease().may_act(world.clock.now() + 5s));
}

TEST_F(Pen, PausesTheModelWhileTheLogIsAway) {
  world.log.away = true;
  EXPECT_TRUE(pen.on_text("a"));
  world.clock.run_for(1s);
  EXPECT_FALSE(pen.on_text("b"));
  bool is_ready = false;
  tasks.start(ready_task(is_ready));
  world.clock.run_for(5s);
  EXPECT_FALSE(is_ready);
  world.log.away = false;
  world.clock.run_for(5s);
  EXPECT_TRUE(is_ready);
  EXPECT_EQ(world.readers_hold(job), "ab");
}

TEST_F(Pen, GivesUpALogThatStaysAwayForAMinute) {
  world.log.away = true;
  pen.delta("a");
  world.clock.run_for(59s);
  EXPECT_FALSE(stopped);
  world.clock.run_for(5s);
  EXPECT_EQ(stopped, Errc::unavailable);
  bool is_ready = false;
  tasks.start(ready_task(is_ready));
  world.clock.run_for(1s);
  EXPECT_TRUE(is_ready) << "nobody waits for a pen that has stopped";
}

TEST_F(Pen, HoldsABoundedNumberOfBytes) {
  world.log.latency = 1h;
  std::size_t taken = 0;
  while (pen.on_text("0123456789")) taken += 10;
  EXPECT_GT(taken, 1000u);
  EXPECT_LT(taken, limits::held_event_bytes_max);
  world.log.latency = 0s;
}

TEST_F(Pen, RenewsFirstWhenTooLittleOfTheLeaseIsLeftToAct) {
  world.clock.run_for(8s);
  std::optional<bool> may;
  tasks.start(may_act_task(may));
  world.clock.run_for(1s);
  EXPECT_EQ(may, true);
  EXPECT_EQ(world.log.begins, 2u);
}

TEST_F(Pen, MayNotActOnceTheLeaseIsAnothers) {
  world.clock.run_for(8s);
  world.log.steal(job.id);
  std::optional<bool> may;
  tasks.start(may_act_task(may));
  world.clock.run_for(1s);
  EXPECT_EQ(may, false);
  EXPECT_EQ(stopped, Errc::fenced);
}

TEST_F(Pen, TellsItsOwnerOfACancelHeardInAnAnswer) {
  record().cancel = true;
  pen.delta("a");
  world.clock.run_for(1s);
  EXPECT_GE(cancels, 1);
}

}  // namespace
}  // namespace millrace
