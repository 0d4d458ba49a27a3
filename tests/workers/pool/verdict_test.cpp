#include "workers/pool/verdict.h"

#include <gtest/gtest.h>

#include "shared/runtime/limits.h"

namespace millrace {
namespace {

const RunFacts first{
    .attempt = 1, .attempts_max = 5, .now = Instant(100s), .deadline = Instant(24h), .jitter = 0.5};

RunEnd failed(bool retryable, std::optional<Duration> retry_after = {}) {
  return RunFailed{{.code = "upstream_cut",
                    .message = "the stream was cut",
                    .retryable = retryable,
                    .retry_after = retry_after}};
}

template <class V>
const V* as(const std::optional<Verdict>& verdict) {
  return verdict ? std::get_if<V>(&*verdict) : nullptr;
}

TEST(Verdict, AnAnswerIsDone) {
  EXPECT_TRUE(as<Done>(verdict_for(Answered{}, first)));
}

TEST(Verdict, ATransientFailureIsRetriedAfterItsJitteredWait) {
  const auto verdict = verdict_for(failed(true), first);
  ASSERT_TRUE(as<Retry>(verdict));
  EXPECT_EQ(as<Retry>(verdict)->at, first.now + 250ms);
}

TEST(Verdict, APermanentFailureIsDeadAtOnce) {
  const auto verdict = verdict_for(failed(false), first);
  ASSERT_TRUE(as<Dead>(verdict));
  EXPECT_EQ(as<Dead>(verdict)->reason, "upstream_cut: the stream was cut");
}

TEST(Verdict, TheLastAttemptIsDead) {
  RunFacts facts = first;
  facts.attempt = 4;
  EXPECT_TRUE(as<Retry>(verdict_for(failed(true), facts)));
  facts.attempt = 5;
  EXPECT_TRUE(as<Dead>(verdict_for(failed(true), facts)));
  EXPECT_EQ(outcome_for(failed(true), facts, "").error_message,
            "the stream was cut (attempt 5 of 5)");
}

TEST(Verdict, TheUpstreamsOwnWaitIsKept) {
  const auto verdict = verdict_for(failed(true, 7s), first);
  ASSERT_TRUE(as<Retry>(verdict));
  EXPECT_EQ(as<Retry>(verdict)->at, first.now + 7s);
}

TEST(Verdict, ARetryThatWouldComeAfterTheDeadlineIsDead) {
  RunFacts facts = first;
  facts.deadline = facts.now + 5s;
  EXPECT_TRUE(as<Retry>(verdict_for(failed(true), facts)));
  EXPECT_TRUE(as<Dead>(verdict_for(failed(true, 6s), facts)));
}

TEST(Verdict, EveryOtherEndHasItsOwn) {
  EXPECT_TRUE(as<Cancelled>(verdict_for(CancelAsked{}, first)));
  EXPECT_TRUE(as<Expired>(verdict_for(DeadlinePassed{}, first)));
  EXPECT_TRUE(as<Retry>(verdict_for(NotDue{Instant(200s)}, first)));
  EXPECT_FALSE(verdict_for(GivenBack{}, first));
  EXPECT_FALSE(verdict_for(Suspect{}, first));
}

TEST(Verdict, AnEndThatStandsKeepsItsVerdict) {
  const std::vector<std::pair<JobState, std::size_t>> cases{{JobState::succeeded, 0},
                                                            {JobState::failed, 2},
                                                            {JobState::cancelled, 3},
                                                            {JobState::expired, 4}};
  for (const auto& [state, index] : cases) {
    AlreadyEnded ended;
    ended.outcome.state = state;
    EXPECT_EQ(verdict_for(ended, first)->index(), index);
  }
}

TEST(RetryWait, DoublesUpToItsLimitAndIsJitteredInFull) {
  EXPECT_EQ(retry_wait(1, 0.999999), std::chrono::duration_cast<Duration>(500ms * 0.999999));
  EXPECT_EQ(retry_wait(1, 0), Duration::zero());
  EXPECT_EQ(retry_wait(3, 0.5), Duration(1s));
  EXPECT_EQ(retry_wait(8, 0.5), Duration(30s));
  for (std::uint32_t attempt = 1; attempt < 100; ++attempt)
    EXPECT_LE(retry_wait(attempt, 0.999), Duration(limits::retry_wait_max));
}

TEST(Outcome, KeepsWhatReadersWereTold) {
  EXPECT_EQ(outcome_for(CancelAsked{}, first, "so far").text, "so far");
  EXPECT_EQ(outcome_for(failed(false), first, "so far").text, "so far");
  Answered other;
  other.text = "journaled";
  EXPECT_EQ(outcome_for(other, first, "so far").text, "journaled");
}

}  // namespace
}  // namespace millrace
