#pragma once
#include "tests/seams/event_log_world.h"

/// What every EventLog promises to those who write, whatever keeps it; `event_log_readers_suite.h`
/// has what it promises to those who read, `event_log_edges_suite.h` what is rare. An adapter's
/// test program includes all three once and adds `INSTANTIATE_TEST_SUITE_P(Name, EventLogSuite,
/// testing::Values(make_world))`.
namespace millrace {

// --- accept, acknowledge, withdraw

TEST_P(EventLogSuite, AFreshJobIsQueuedWithItsFirstEventAndNotAcknowledged) {
  const auto made = job("s");
  const auto accepted = accept(made, "print");
  ASSERT_TRUE(accepted);
  EXPECT_TRUE(accepted->fresh);
  EXPECT_FALSE(accepted->acknowledged);
  EXPECT_EQ(accepted->state, JobState::queued);
  const auto stands = state(made);
  ASSERT_TRUE(stands);
  EXPECT_EQ(stands->state, JobState::queued);
  EXPECT_EQ(stands->last, 1u);
  EXPECT_EQ(stands->attempt, 0u);
  EXPECT_FALSE(stands->acknowledged || stands->cancel_wanted || stands->held);
  EXPECT_EQ(stands->tenant, made.tenant);
  EXPECT_EQ(stands->session, "s");
  EXPECT_EQ(stands->kind, "chat");
  EXPECT_EQ(stands->created_at, made.created_at);
  EXPECT_EQ(stands->deadline, made.deadline);
  EXPECT_EQ(read(made)->lines, line(1, "queued"));
}

TEST_P(EventLogSuite, ASecondAcceptChangesNothingAndTellsWhatStands) {
  const auto made = job();
  ASSERT_TRUE(accept(made, "first"));
  log->acknowledge(made);
  const auto again = loop.get(log->accept(made, "second", line(1, "queued", "other")));
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->fresh);
  EXPECT_TRUE(again->acknowledged);
  EXPECT_EQ(again->fingerprint, "first");
  EXPECT_EQ(again->state, JobState::queued);
  EXPECT_EQ(read(made)->lines, line(1, "queued"));
  ASSERT_TRUE(begin(made, token()));
  EXPECT_EQ(accept(made)->state, JobState::running);
}

TEST_P(EventLogSuite, OneOfManyAcceptsAtOnceIsFresh) {
  const auto made = job("s");
  int fresh = 0;
  std::vector<Task<>> tries;
  const auto count = [](EventLog& log, const Job& job, std::string queued, int& fresh) -> Task<> {
    const auto accepted = co_await log.accept(job, "print", queued);
    if (accepted && accepted->fresh) ++fresh;
  };
  for (int i = 0; i < 8; ++i) tries.push_back(count(*log, made, line(1, "queued"), fresh));
  loop.run(std::move(tries));
  EXPECT_EQ(fresh, 1);
  EXPECT_EQ(loop.get(log->session_jobs(tenant, "s"))->size(), 1u);
}

TEST_P(EventLogSuite, WithdrawTakesBackWhatNobodyKnowsOf) {
  const auto made = job("s");
  ASSERT_TRUE(accept(made));
  ASSERT_TRUE(loop.get(log->withdraw(made)));
  EXPECT_FALSE(state(made));
  EXPECT_EQ(read(made).error(), Errc::not_found);
  EXPECT_TRUE(loop.get(log->session_jobs(tenant, "s"))->empty());
  EXPECT_TRUE(accept(made)->fresh);
}

TEST_P(EventLogSuite, WithdrawLeavesAnAcknowledgedABegunAndAnUnknownJob) {
  const auto acknowledged = job();
  ASSERT_TRUE(accept(acknowledged));
  log->acknowledge(acknowledged);
  ASSERT_TRUE(loop.get(log->withdraw(acknowledged)));
  EXPECT_TRUE(state(acknowledged)->acknowledged);
  const auto begun = job();
  running(begun);
  ASSERT_TRUE(loop.get(log->withdraw(begun)));
  EXPECT_TRUE(state(begun));
  EXPECT_TRUE(loop.get(log->withdraw(job())));
}

TEST_P(EventLogSuite, ForgetTakesTheLogOfAJobThatHasEndedAndOfNoOther) {
  const auto made = job("s");
  const auto holder = running(made);
  EXPECT_EQ(loop.get(log->forget(made.id)).error(), Errc::conflict);
  EXPECT_TRUE(state(made));
  ASSERT_TRUE(append(made, holder, 1, 1, JobState::succeeded));
  ASSERT_TRUE(loop.get(log->forget(made.id)));
  EXPECT_FALSE(state(made));
  EXPECT_EQ(read(made).error(), Errc::not_found);
  EXPECT_TRUE(loop.get(log->forget(made.id))) << "once more is no error";
  EXPECT_EQ(append(made, holder, 2, 1).error(), Errc::lost);
}

TEST_P(EventLogSuite, AnAcknowledgementOfALostRecordMakesNone) {
  const auto made = job();
  log->acknowledge(made);
  EXPECT_FALSE(state(made));
}

// --- the lease

TEST_P(EventLogSuite, TheFirstBeginIsGrantedAndGoesOnAfterQueued) {
  const auto made = job();
  ASSERT_TRUE(accept(made));
  const auto begun = begin(made, token());
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->outcome, Begun::Outcome::granted);
  EXPECT_EQ(begun->state, JobState::queued);
  EXPECT_EQ(begun->last, 1u);
  EXPECT_FALSE(begun->gap_from);
  EXPECT_EQ(begun->errors, 0u);
  EXPECT_EQ(begun->lost_runs, 0u);
  EXPECT_FALSE(begun->cancel_wanted);
  const auto stands = state(made);
  EXPECT_EQ(stands->state, JobState::running);
  EXPECT_EQ(stands->attempt, 1u);
  EXPECT_TRUE(stands->held);
}

TEST_P(EventLogSuite, AJobThatWasNeverAcceptedHereCanBeBegun) {
  const auto made = job("s");
  const auto begun = begin(made, token());
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->outcome, Begun::Outcome::granted);
  EXPECT_FALSE(begun->gap_from);
  const auto stands = state(made);
  ASSERT_TRUE(stands);
  EXPECT_EQ(stands->tenant, made.tenant);
  EXPECT_EQ(stands->session, "s");
  EXPECT_EQ(stands->created_at, made.created_at);
  EXPECT_TRUE(stands->acknowledged);
}

TEST_P(EventLogSuite, ALiveLeaseIsBusyForTheTimeItHasLeft) {
  const auto made = job();
  const auto holder = running(made);
  const auto other = begin(made, token());
  ASSERT_TRUE(other);
  EXPECT_EQ(other->outcome, Begun::Outcome::busy);
  EXPECT_EQ(other->state, JobState::running);
  EXPECT_GT(other->busy_for, 0ms);
  EXPECT_LE(other->busy_for, LogWorld::lease_for);
  EXPECT_TRUE(append(made, holder, 1, 1));
}

TEST_P(EventLogSuite, BeginningAgainWithTheSameTokenRenewsAndCountsNothing) {
  const auto made = job();
  const auto holder = running(made, 3);
  for (int i = 0; i < 3; ++i) {
    sleep(LogWorld::lease_for / 2);
    const auto again = begin(made, holder, 3, true);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->outcome, Begun::Outcome::granted);
    EXPECT_EQ(again->state, JobState::running);
    EXPECT_EQ(again->last, 3u);
    EXPECT_FALSE(again->gap_from);
    EXPECT_EQ(again->lost_runs, 0u);
  }
  EXPECT_EQ(begin(made, token())->outcome, Begun::Outcome::busy);
  EXPECT_EQ(state(made)->attempt, 1u);
}

TEST_P(EventLogSuite, AnAppendRenewsTheLease) {
  const auto made = job();
  const auto holder = running(made);
  for (Seq last = 1; last < 4; ++last) {
    sleep(LogWorld::lease_for / 2);
    ASSERT_TRUE(append(made, holder, last, 1));
  }
  EXPECT_EQ(begin(made, token())->outcome, Begun::Outcome::busy);
}

TEST_P(EventLogSuite, ALapsedLeaseThatNobodyTookStillWrites) {
  const auto made = job();
  const auto holder = running(made);
  let_lapse(made);
  EXPECT_TRUE(append(made, holder, 1, 1));
  EXPECT_TRUE(state(made)->held);
}

TEST_P(EventLogSuite, WhoTakesALapsedLeaseCountsALostRunAndFencesTheFirst) {
  const auto made = job();
  const auto first = running(made, 2);
  const auto second = token();
  const auto begun = take_over(made, second);
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->outcome, Begun::Outcome::granted);
  EXPECT_EQ(begun->last, 2u);
  EXPECT_FALSE(begun->gap_from);
  EXPECT_EQ(begun->lost_runs, 1u);
  EXPECT_EQ(begun->errors, 0u);
  EXPECT_EQ(state(made)->attempt, 2u);
  EXPECT_EQ(append(made, first, 2, 1).error(), Errc::fenced);
  EXPECT_EQ(append(made, first, 2, 1, JobState::succeeded).error(), Errc::fenced);
  EXPECT_EQ(begin(made, first)->outcome, Begun::Outcome::busy);
  EXPECT_TRUE(append(made, second, 2, 1));
  EXPECT_EQ(take_over(made, token())->lost_runs, 2u);
}

TEST_P(EventLogSuite, AForcedBeginTakesALiveLeaseAndCountsNothing) {
  const auto made = job();
  const auto first = running(made, 2);
  const auto edge = token();
  const auto begun = force(made, edge);
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->outcome, Begun::Outcome::granted);
  EXPECT_EQ(begun->last, 2u);
  EXPECT_EQ(begun->lost_runs, 0u);
  EXPECT_EQ(append(made, first, 2, 1).error(), Errc::fenced);
  EXPECT_TRUE(append(made, edge, 2, 1, JobState::cancelled));
}

TEST_P(EventLogSuite, GivingTheLeaseBackCountsNothingAndFreesItAtOnce) {
  const auto made = job();
  const auto first = running(made, 2);
  ASSERT_TRUE(append(made, first, 2, 0, JobState::queued));
  const auto stands = state(made);
  EXPECT_EQ(stands->state, JobState::queued);
  EXPECT_FALSE(stands->held);
  const auto begun = begin(made, token());
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->outcome, Begun::Outcome::granted);
  EXPECT_EQ(begun->state, JobState::queued);
  EXPECT_EQ(begun->last, 2u);
  EXPECT_EQ(begun->errors, 0u);
  EXPECT_EQ(begun->lost_runs, 0u);
  EXPECT_EQ(append(made, first, 2, 1).error(), Errc::fenced);
}

TEST_P(EventLogSuite, AHolderThatWasReplacedDoesNotGoOnThoughTheLeaseIsFreeAgain) {
  for (const bool given_back : {true, false}) {
    const auto made = job();
    const auto first = running(made, 2);
    const auto second = token();
    ASSERT_EQ(take_over(made, second)->outcome, Begun::Outcome::granted);
    ASSERT_TRUE(
        append(made, second, 2, 1, given_back ? std::optional(JobState::queued) : std::nullopt));
    let_lapse(made);
    EXPECT_EQ(begin(made, first, 2, true)->outcome, Begun::Outcome::busy);
    EXPECT_FALSE(append(made, first, 2, 1));
    const auto third = token();
    const auto begun = begin(made, third, 0, true);
    EXPECT_EQ(begun->outcome, Begun::Outcome::granted);
    EXPECT_EQ(begun->last, 3u);
  }
}

TEST_P(EventLogSuite, ARetryCountsAnErrorAndFreesTheLease) {
  const auto made = job();
  const auto first = running(made);
  const auto told = append(made, first, 1, 1, JobState::retrying);
  ASSERT_TRUE(told);
  EXPECT_EQ(state(made)->state, JobState::retrying);
  EXPECT_FALSE(state(made)->held);
  const auto begun = begin(made, token());
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->outcome, Begun::Outcome::granted);
  EXPECT_EQ(begun->state, JobState::retrying);
  EXPECT_EQ(begun->last, 2u);
  EXPECT_EQ(begun->errors, 1u);
  EXPECT_EQ(begun->lost_runs, 0u);
  EXPECT_EQ(state(made)->attempt, 2u);
}

TEST_P(EventLogSuite, ATerminalJobIsNeitherBegunNorWrittenTo) {
  for (const auto end :
       {JobState::succeeded, JobState::failed, JobState::cancelled, JobState::expired}) {
    const auto made = job();
    const auto holder = running(made);
    ASSERT_TRUE(append(made, holder, 1, 1, end));
    for (const bool forced : {false, true}) {
      const auto begun = forced ? force(made, token()) : begin(made, token());
      ASSERT_TRUE(begun);
      EXPECT_EQ(begun->outcome, Begun::Outcome::terminal);
      EXPECT_EQ(begun->state, end);
      EXPECT_EQ(begun->last, 2u);
    }
    EXPECT_EQ(append(made, holder, 2, 1).error(), Errc::fenced);
    EXPECT_FALSE(append(made, token(), 2, 1));
    EXPECT_EQ(state(made)->state, end);
    EXPECT_FALSE(state(made)->held);
    EXPECT_EQ(read(made)->lines, line(1, "queued") + line(2));
  }
}

// --- append

TEST_P(EventLogSuite, AppendedEventsAreReadAsTheyWereWritten) {
  const auto made = job();
  const auto holder = running(made);
  const auto text = line(2, "started") + line(3, "delta", "한글 🎉 \\\" \\n { } ") +
                    line(4, "delta", std::string(100'000, 'y'));
  ASSERT_TRUE(append_lines(made, holder, 1, 3, text));
  const auto page = read(made, 1);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->lines, text);
  EXPECT_EQ(page->last, 4u);
  EXPECT_EQ(page->state, JobState::running);
  EXPECT_FALSE(page->more);
}

TEST_P(EventLogSuite, TheSameAppendTwiceIsOne) {
  const auto made = job();
  const auto holder = running(made);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(append(made, holder, 1, 3));
  EXPECT_EQ(read(made)->lines, line(1, "queued") + lines(2, 4));
  ASSERT_TRUE(append(made, holder, 4, 1));
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(append(made, holder, 5, 1, JobState::succeeded));
  EXPECT_EQ(read(made)->lines, line(1, "queued") + lines(2, 6));
  EXPECT_EQ(state(made)->state, JobState::succeeded);
}

TEST_P(EventLogSuite, ALeaseGivenBackTwiceIsGivenBackOnce) {
  const auto made = job();
  const auto first = running(made);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(append(made, first, 1, 1, JobState::retrying));
  const auto second = token();
  EXPECT_EQ(begin(made, second)->errors, 1u);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(append(made, second, 2, 0, JobState::queued));
  const auto third = begin(made, token());
  EXPECT_EQ(third->errors, 1u);
  EXPECT_EQ(third->lost_runs, 0u);
  EXPECT_EQ(third->last, 2u);
  // Now that somebody has it, the late copy is refused.
  EXPECT_EQ(append(made, second, 2, 0, JobState::queued).error(), Errc::fenced);
}

TEST_P(EventLogSuite, AnAppendThatDoesNotFitTheEndIsLostAndWritesNothing) {
  const auto made = job();
  const auto holder = running(made, 3);
  EXPECT_EQ(append(made, holder, 5, 1).error(), Errc::lost);
  EXPECT_EQ(append(made, holder, 1, 1).error(), Errc::lost);
  EXPECT_EQ(append(made, holder, 1, 5).error(), Errc::lost);
  EXPECT_EQ(read(made)->lines, line(1, "queued") + lines(2, 3));
  EXPECT_TRUE(append(made, holder, 3, 1));
}

TEST_P(EventLogSuite, AnAppendToNoRecordIsLostAndMakesNone) {
  const auto made = job();
  EXPECT_EQ(append(made, token(), 1, 1).error(), Errc::lost);
  EXPECT_FALSE(state(made));
  EXPECT_EQ(read(made).error(), Errc::not_found);
}

TEST_P(EventLogSuite, AnAppendBeforeAnyBeginIsFenced) {
  const auto made = job();
  ASSERT_TRUE(accept(made));
  EXPECT_EQ(append(made, token(), 1, 1).error(), Errc::fenced);
  EXPECT_EQ(read(made)->last, 1u);
}

TEST_P(EventLogSuite, AnAppendWithoutEventsOnlyRenewsTheLease) {
  const auto made = job();
  const auto holder = running(made, 2);
  let_lapse(made);
  ASSERT_TRUE(append(made, holder, 2, 0));
  EXPECT_TRUE(state(made)->held);
  EXPECT_EQ(state(made)->state, JobState::running);
  EXPECT_EQ(read(made)->last, 2u);
}

}  // namespace millrace
