#include "tests/workers/pool/world.h"

namespace millrace {
namespace {

ChatFailure cut() {
  return {.code = "upstream_cut",
          .message = "the stream was cut",
          .retryable = true,
          .retry_after = {}};
}
ChatFailure refused() {
  return {
      .code = "upstream_refused", .message = "bad input", .retryable = false, .retry_after = {}};
}

TEST(RunJob, AFailureIsToldAndTriedAgainFromTheStart) {
  World world;
  world.model.failing.push_back({2, cut()});
  world.start_worker();
  const Job job = world.accept();
  world.clock.run_for(5s);
  EXPECT_EQ(world.told(job),
            "queued started delta delta status rewind started delta delta delta done");
  world.expect_sound(job);
  EXPECT_EQ(world.readers_hold(job), "w1 w2 w3 ");
  ASSERT_EQ(world.queue.settled.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<Retry>(world.queue.settled[0].verdict));
  EXPECT_TRUE(std::holds_alternative<Done>(world.queue.settled[1].verdict));
  EXPECT_NE(std::string(world.events(job)[4].json).find("retrying in"), std::string::npos);
}

TEST(RunJob, WithPrefillNoWordIsSaidOrPaidTwice) {
  World world;
  world.settings.llm_continue = LlmContinue::prefill;
  world.model.words = 10;
  world.model.failing.push_back({4, cut()});
  world.model.failing.push_back({3, cut()});
  world.start_worker();
  const Job job = world.accept();
  world.clock.run_for(10s);
  world.expect_sound(job);
  EXPECT_EQ(world.readers_hold(job), fake::Model::text(10));
  EXPECT_EQ(world.model.words_sent, 10);
  EXPECT_EQ(world.model.prefixes,
            (std::vector<std::string>{"", fake::Model::text(4), fake::Model::text(7)}));
  EXPECT_EQ(world.told(job).find("rewind"), std::string::npos);
}

TEST(RunJob, WithRewindTheTurnIsPaidAgainAndReadersForgetTheFirst) {
  World world;
  world.model.words = 10;
  world.model.failing.push_back({4, cut()});
  world.start_worker();
  const Job job = world.accept();
  world.clock.run_for(10s);
  world.expect_sound(job);
  EXPECT_EQ(world.model.words_sent, 14);
  EXPECT_EQ(world.readers_hold(job), fake::Model::text(10));
}

TEST(RunJob, WhatIsSaidBesideTheTextIsToldAndKept) {
  World world;
  world.model.asides = {.reasoning = "let me", .refusal = "no"};
  world.start_worker();
  const Job job = world.accept();
  world.clock.run_for(1s);
  world.expect_sound(job);
  EXPECT_TRUE(world.told(job).starts_with("queued started reasoning refusal delta"));
  ASSERT_TRUE(world.outcome(job));
  EXPECT_EQ(world.outcome(job)->asides, world.model.asides);
  const std::string end(world.events(job).back().json);
  EXPECT_NE(end.find(R"("reasoning":"let me","refusal":"no")"), std::string::npos) << end;
}

TEST(RunJob, ATurnThatReasonedIsNotGoneOnWithButBegunAnew) {
  World world;
  world.settings.llm_continue = LlmContinue::prefill;
  world.model.asides.reasoning = "let me";
  world.model.words = 10;
  world.model.failing.push_back({4, cut()});
  world.model.failing.push_back({0, cut()});
  world.start_worker();
  const Job job = world.accept();
  world.clock.run_for(20s);
  world.expect_sound(job);
  EXPECT_EQ(world.model.prefixes, (std::vector<std::string>(3, "")));
  EXPECT_EQ(world.readers_hold(job), fake::Model::text(10));
  const auto first = world.told(job).find("rewind");
  ASSERT_NE(first, std::string::npos);
  EXPECT_NE(world.told(job).find("rewind", first + 30), std::string::npos);
}

TEST(RunJob, AnAnswerOfAllItsTokensIsNotAskedForAgain) {
  World world;
  world.settings.llm_continue = LlmContinue::prefill;
  world.model.words = 10;
  world.model.failing.push_back({4, cut()});
  world.start_worker();
  Job job = world.make_job();
  job.max_tokens = 4;
  world.accept(job);
  world.clock.run_for(10s);
  EXPECT_EQ(world.model.prefixes.size(), 1u);
  ASSERT_TRUE(world.outcome(job));
  EXPECT_EQ(world.outcome(job)->finish_reason, "length");
}

TEST(RunJob, AnEndThatTheStoreHasLostIsTakenFromTheLog) {
  for (const bool fails : {false, true}) {
    World world;
    if (fails) world.model.failing.push_back({2, refused()});
    world.start_worker();
    const Job job = world.accept();
    world.clock.run_for(5s);
    const auto ended = world.outcome(job);
    ASSERT_TRUE(ended);
    const std::string told = world.log.records[job.id].lines;
    const auto asked = world.model.prefixes.size();
    world.store.jobs[job.id].outcome.reset();
    world.redeliver(job);
    world.clock.run_for(5s);
    const auto restored = world.outcome(job);
    ASSERT_TRUE(restored);
    EXPECT_EQ(restored->state, ended->state);
    EXPECT_EQ(restored->text, ended->text);
    EXPECT_EQ(restored->finish_reason, ended->finish_reason);
    EXPECT_EQ(restored->model, fails ? "" : ended->model);
    EXPECT_EQ(restored->usage, fails ? "" : ended->usage);
    EXPECT_EQ(restored->error_code, ended->error_code);
    EXPECT_EQ(restored->error_message, ended->error_message);
    EXPECT_EQ(restored->retryable, ended->retryable);
    EXPECT_EQ(world.log.records[job.id].lines, told);
    EXPECT_EQ(world.model.prefixes.size(), asked);
    EXPECT_EQ(world.queue.settled.size(), 2u);
  }
}

TEST(RunJob, APermanentFailureEndsTheJobWithADeadLetter) {
  World world;
  world.model.failing.push_back({1, refused()});
  world.start_worker();
  const Job job = world.accept();
  world.clock.run_for(5s);
  EXPECT_EQ(world.told(job), "queued started delta error");
  world.expect_sound(job);
  ASSERT_EQ(world.queue.settled.size(), 1u);
  const auto* dead = std::get_if<Dead>(&world.queue.settled[0].verdict);
  ASSERT_TRUE(dead);
  EXPECT_EQ(dead->reason, "upstream_refused: bad input");
}

TEST(RunJob, TheLastAttemptEndsTheJob) {
  World world;
  for (int i = 0; i < 5; ++i) world.model.failing.push_back({0, cut()});
  world.start_worker();
  const Job job = world.accept();
  world.clock.run_for(2min);
  EXPECT_EQ(world.model.prefixes.size(), 5u);
  world.expect_sound(job);
  EXPECT_EQ(world.outcome(job)->error_code, "upstream_cut");
}

TEST(RunJob, AttemptsSurviveTheLossOfTheLog) {
  World world;
  for (int i = 0; i < 9; ++i) world.model.failing.push_back({0, cut()});
  world.start_worker();
  const Job job = world.accept();
  for (int i = 0; i < 60; ++i) {
    world.clock.run_for(2s);
    if (!world.outcome(job)) world.log.lose_all();
  }
  EXPECT_LE(world.model.prefixes.size(), 5u);
  EXPECT_EQ(world.outcome(job)->state, JobState::failed);
}

TEST(RunJob, ARunThatWasLostCountsInTheStoreAsReadersAreTold) {
  World world;
  world.model.words = 1000;
  const Job job = world.accept();
  World::Process& first = world.start_worker();
  world.clock.run_for(5s);
  world.kill(first);
  world.redeliver(job);
  world.start_worker();
  world.clock.run_for(60s);
  world.expect_sound(job);
  EXPECT_NE(world.log.records.at(job.id).lines.find(R"("attempt":2,)"), std::string::npos);
  EXPECT_EQ(world.store.jobs.at(job.id).attempts, 2u);
}

TEST(RunJob, AnUnknownKindIsDead) {
  World world;
  world.start_worker();
  Job job = world.make_job();
  job.kind = "batch_part";
  world.accept(job);
  world.clock.run_for(5s);
  EXPECT_EQ(world.outcome(job)->error_code, "unknown_kind");
  world.expect_sound(job);
}

TEST(RunJob, AJobThatIsNotDueWaitsWithoutALease) {
  World world;
  world.start_worker();
  Job job = world.make_job();
  job.not_before = world.clock.wall() + 20s;
  world.accept(job);
  world.clock.run_for(19s);
  EXPECT_EQ(world.told(job), "queued");
  EXPECT_EQ(world.log.begins, 0u);
  world.clock.run_for(3s);
  world.expect_sound(job);
}

TEST(RunJob, AJobThatIsNotDueForLongWaitsInTheQueueAndLosesNoAttempt) {
  World world;
  world.settings.job_attempts = 2;
  world.model.failing.push_back({0, cut()});
  world.start_worker();
  Job job = world.make_job();
  job.not_before = world.clock.wall() + 10min;
  world.accept(job);
  world.clock.run_for(5s);
  ASSERT_EQ(world.queue.settled.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<Retry>(world.queue.settled[0].verdict));
  world.clock.run_for(11min);
  world.expect_sound(job);
  EXPECT_EQ(world.outcome(job)->state, JobState::succeeded);
}

TEST(RunJob, ADeadlineEndsARunningJobWithinASecond) {
  World world;
  world.model.hang = true;
  world.start_worker();
  Job job = world.make_job();
  job.deadline = world.clock.wall() + 10s;
  world.accept(job);
  world.clock.run_for(10s + 500ms);
  EXPECT_EQ(world.told(job), "queued started expired");
  world.expect_sound(job);
  EXPECT_EQ(world.model.cancelled, 1);
  EXPECT_TRUE(std::holds_alternative<Expired>(world.queue.settled.at(0).verdict));
}

TEST(RunJob, ADeadlineThatPassedInTheQueueAsksNoModel) {
  World world;
  Job job = world.make_job();
  job.deadline = world.clock.wall() + 1s;
  world.accept(job);
  world.clock.run_for(5s);
  world.start_worker();
  world.clock.run_for(5s);
  EXPECT_EQ(world.told(job), "queued expired");
  EXPECT_TRUE(world.model.prefixes.empty());
}

TEST(RunJob, ACancelEndsARunningJobAndItsUpstreamAtOnce) {
  World world;
  world.model.hang = true;
  world.start_worker();
  const Job job = world.accept();
  world.clock.run_for(1s);
  world.log.want_cancel(job.id);
  world.clock.run_for(50ms);
  EXPECT_EQ(world.told(job), "queued started cancelled");
  EXPECT_EQ(world.model.cancelled, 1);
  world.expect_sound(job);
  EXPECT_TRUE(std::holds_alternative<Cancelled>(world.queue.settled.at(0).verdict));
}

TEST(RunJob, ACancelWhoseWakeUpWasLostIsHeardWithTheNextWrite) {
  World world;
  world.model.words = 1000;
  world.start_worker();
  const Job job = world.accept();
  world.clock.run_for(1s);
  world.log.records[job.id].cancel = true;
  world.clock.run_for(1s);
  ASSERT_TRUE(world.outcome(job));
  EXPECT_EQ(world.outcome(job)->state, JobState::cancelled);
  world.expect_sound(job);
}

TEST(RunJob, ACancelWhoseWakeUpWasLostIsHeardWithTheNextRenewal) {
  World world;
  world.model.hang = true;
  world.start_worker();
  const Job job = world.accept();
  world.clock.run_for(1s);
  world.log.records[job.id].cancel = true;
  world.clock.run_for(4s);
  ASSERT_TRUE(world.outcome(job));
  EXPECT_EQ(world.outcome(job)->state, JobState::cancelled);
}

TEST(RunJob, AJobCancelledBeforeItBeganAsksNoModel) {
  World world;
  const Job job = world.accept();
  world.store.jobs[job.id].cancel_wanted = true;
  world.start_worker();
  world.clock.run_for(5s);
  EXPECT_EQ(world.told(job), "queued cancelled");
  EXPECT_TRUE(world.model.prefixes.empty());
}

TEST(RunJob, ALeaseIsKeptThroughALongSilence) {
  World world;
  world.model.gap = 60s;
  world.model.words = 1;
  world.start_worker();
  const Job job = world.accept();
  world.clock.run_for(50s);
  EXPECT_GT(world.log.records[job.id].lease_until, world.clock.now() + 5s);
  world.clock.run_for(20s);
  world.expect_sound(job);
  EXPECT_EQ(world.log.records[job.id].lost_runs, 0u);
}

TEST(RunJob, ADeliveryOfAJobSomebodyElseRunsIsPutAsideUntilTheLeaseEnds) {
  World world;
  const Job job = world.accept();
  world.log.steal(job.id);
  world.start_worker();
  world.clock.run_for(9s);
  EXPECT_EQ(world.told(job), "queued");
  EXPECT_GE(world.queue.released.size(), 1u);
  EXPECT_LE(world.queue.released.size(), 10u) << "asks no oftener than once a second";
  world.clock.run_for(5s);
  world.expect_sound(job);
}

TEST(RunJob, ALeaseGivenBackEarlyIsTakenWithinASecond) {
  World world;
  const Job job = world.accept();
  world.log.steal(job.id);
  world.start_worker();
  world.clock.run_for(2500ms);
  EXPECT_EQ(world.told(job), "queued");
  world.log.records[job.id].lease_until = {};
  world.log.records[job.id].token.reset();
  world.clock.run_for(1100ms);
  EXPECT_NE(world.told(job), "queued");
}

TEST(RunJob, ALostAnswerOfTheStoreEndsTheJobOnce) {
  World world;
  world.store.finish_faults.next(fake::Fault::answer_lost, 2);
  world.start_worker();
  const Job job = world.accept();
  world.clock.run_for(10s);
  EXPECT_EQ(world.told(job), "queued started delta delta delta done");
  world.expect_sound(job);
}

TEST(RunJob, AResultIsKeptWhileTheStoreIsAwayAndNothingNewBegins) {
  World world;
  world.start_worker();
  const Job first = world.accept();
  world.clock.run_for(15ms);
  world.store.away = true;
  const Job second = world.accept();
  world.clock.run_for(40s);
  EXPECT_EQ(world.told(first), "queued started delta delta delta");
  EXPECT_EQ(world.told(second), "queued");
  world.store.away = false;
  world.clock.run_for(5s);
  world.expect_sound(first);
  world.expect_sound(second);
  EXPECT_EQ(world.model.prefixes.size(), 2u) << "the finished turn was not paid again";
}

TEST(RunJob, ALogThatComesBackInTimeLosesNoWord) {
  World world;
  world.model.words = 100;
  world.start_worker();
  const Job job = world.accept();
  world.clock.run_for(500ms);
  world.log.away = true;
  world.clock.run_for(40s);
  world.log.away = false;
  world.clock.run_for(10s);
  world.expect_sound(job);
  EXPECT_EQ(world.readers_hold(job), fake::Model::text(100));
  EXPECT_EQ(world.model.words_sent, 100);
}

TEST(RunJob, ALogThatStaysAwayGivesTheTurnUpToBeContinued) {
  World world;
  world.settings.llm_continue = LlmContinue::prefill;
  world.model.words = 100;
  world.start_worker();
  const Job job = world.accept();
  world.clock.run_for(500ms);
  world.log.away = true;
  world.clock.run_for(90s);
  EXPECT_EQ(world.model.cancelled, 1);
  world.log.away = false;
  world.clock.run_for(30s);
  EXPECT_EQ(world.queue.released.size(), 1u);
  EXPECT_EQ(world.log.records[job.id].lost_runs, 0u) << "the job is not to blame";
  world.expect_sound(job);
  EXPECT_EQ(world.readers_hold(job), fake::Model::text(100));
  EXPECT_LT(world.model.words_sent, 110);
}

TEST(RunJob, ALogThatIsEmptiedUnderARunningJobCostsNothing) {
  World world;
  world.model.words = 100;
  world.start_worker();
  const Job job = world.accept();
  for (int i = 0; i < 5; ++i) {
    world.clock.run_for(150ms);
    world.log.lose_all();
  }
  world.clock.run_for(10s);
  world.expect_sound(job);
  EXPECT_EQ(world.readers_hold(job), fake::Model::text(100));
  EXPECT_EQ(world.model.words_sent, 100);
}

TEST(RunJob, AnEndIsToldBehindWhatALostLogHadSaidThoughALateAcceptMadeItsRecordAgain) {
  World world;
  world.model.words = 100;
  const Job job = world.accept();
  World::Process& first = world.start_worker();
  world.clock.run_for(500ms);
  const Seq heard = world.log.records[job.id].last;
  world.kill(first);
  world.end_elsewhere(job);
  world.log.lose_all();
  world.log.records[job.id].last = 1;  // `queued`, and nothing that tells of a run
  world.redeliver(job);
  world.start_worker();
  world.clock.run_for(5s);
  EXPECT_GT(world.log.records[job.id].last, heard + 1);
  EXPECT_NE(world.told(job).find("gap"), std::string::npos) << world.told(job);
  EXPECT_NE(world.told(job).find("done"), std::string::npos) << world.told(job);
}

TEST(RunJob, AJobThatEndedElsewhereIsOnlyToldAndSettled) {
  World world;
  const Job job = world.accept();
  world.end_elsewhere(job);
  world.start_worker();
  world.clock.run_for(5s);
  world.expect_sound(job);
  EXPECT_TRUE(world.model.prefixes.empty());
  EXPECT_EQ(world.queue.results.size(), 1u);
  EXPECT_EQ(world.queue.settled.size(), 1u);
}

TEST(RunJob, AnOutcomeThatStandsIsWhatReadersHold) {
  World world;
  world.model.words = 50;
  world.start_worker();
  const Job job = world.accept();
  world.clock.run_for(200ms);
  Outcome standing;  // somebody else ended it while this run went on
  standing.state = JobState::cancelled;
  standing.text = "w1 ";
  world.store.jobs[job.id].outcome = standing;
  world.store.jobs[job.id].state = standing.state;
  world.clock.run_for(5s);
  world.expect_sound(job);
  EXPECT_EQ(world.readers_hold(job), "w1 ");
  EXPECT_TRUE(std::holds_alternative<Cancelled>(world.queue.settled.at(0).verdict));
}

TEST(RunJob, AJournaledTurnIsNotAskedAgain) {
  World world;
  world.start_worker();
  const Job job = world.accept();
  world.clock.run_for(5s);
  const Step step = world.store.steps[job.id].at(0);
  const Job same = [&] {
    Job copy = world.make_job();
    world.store.steps[copy.id] = {step};
    return world.accept(copy);
  }();
  world.clock.run_for(5s);
  world.expect_sound(same);
  EXPECT_EQ(world.readers_hold(same), "w1 w2 w3 ");
  EXPECT_EQ(world.model.prefixes.size(), 1u);
}

TEST(RunJob, AResultThatTheQueueDidNotTakeIsGivenToItAgain) {
  World world;
  world.queue.settle_faults.next(fake::Fault::refused, 2);
  world.start_worker();
  const Job job = world.accept();
  world.clock.run_for(30s);
  world.expect_sound(job);
  EXPECT_EQ(world.queue.results.size(), 1u);
  EXPECT_EQ(world.queue.settled.size(), 1u);
  EXPECT_EQ(world.model.prefixes.size(), 1u);
}

}  // namespace
}  // namespace millrace
