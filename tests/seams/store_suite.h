#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "shared/store.h"
#include "tests/seams/test_loop.h"

/// What every Store promises, whatever keeps it. An adapter's test program includes this file once
/// and adds `INSTANTIATE_TEST_SUITE_P(Name, StoreSuite, testing::Values(make_world))`.
namespace millrace {

/// One truth, empty at first, and ways to reach it.
class StoreWorld {
 public:
  virtual ~StoreWorld() = default;
  virtual std::unique_ptr<Store> port(Clock& clock) = 0;
  /// As another process would reach the same truth.
  virtual std::unique_ptr<Store> other_process(Clock& clock) = 0;
};

using MakeStoreWorld = std::unique_ptr<StoreWorld> (*)();

class StoreSuite : public testing::TestWithParam<MakeStoreWorld> {
 protected:
  Job job(int number, std::string session = "") {
    Job made;
    made.id.bytes = {0x01,
                     0x90,
                     0,
                     0,
                     0,
                     0,
                     0x70,
                     0,
                     0x80,
                     0,
                     0,
                     0,
                     0,
                     0,
                     static_cast<std::uint8_t>(number >> 8),
                     static_cast<std::uint8_t>(number)};
    made.session = std::move(session);
    made.model = "sim-1ms-1tok-1gap";
    made.created_at = start + std::chrono::seconds(number);
    made.deadline = made.created_at + std::chrono::hours(24);
    made.envelope = R"({"v":1,"input":"질문 )" + std::to_string(number) + R"("})";
    return made;
  }
  static Outcome answer(std::string text) {
    auto outcome = ended_as(JobState::succeeded);
    outcome.text = std::move(text);
    outcome.finish_reason = "stop";
    outcome.model = "m";
    outcome.usage = R"({"total_tokens":3})";
    return outcome;
  }
  static Outcome ended_as(JobState state) {
    Outcome outcome;
    outcome.state = state;
    return outcome;
  }
  static JobFilter filter(std::string session = "", std::string kind = "",
                          std::optional<JobState> state = {}) {
    JobFilter made;
    made.session = std::move(session);
    made.kind = std::move(kind);
    made.state = state;
    made.limit = 1000;
    return made;
  }
  static Step step(std::uint32_t index, std::string output, std::string hash = "h") {
    return {.index = index,
            .kind = "llm_turn",
            .input_hash = std::move(hash),
            .output = std::move(output)};
  }

  /// Everything this port wrote before is there when this returns.
  void settle() {
    const auto other = job(0xffff);
    ASSERT_TRUE(loop.get(store->save_step(other.id, step(0, "{}"))));
  }
  Result<StoredJob> found(const Job& wanted) {
    return loop.get(store->find(wanted.tenant, wanted.id));
  }
  std::vector<JobId> listed(const JobFilter& filter) {
    const auto jobs = loop.get(store->list(filter));
    EXPECT_TRUE(jobs);
    std::vector<JobId> ids;
    if (jobs)
      for (const auto& stored : *jobs) ids.push_back(stored.id);
    return ids;
  }

  static constexpr WallTime start{std::chrono::sys_days(std::chrono::year(2026) / 1 / 2)};
  TestLoop loop;
  std::unique_ptr<StoreWorld> world = GetParam()();
  std::unique_ptr<Store> store = world->port(loop.clock());
};

TEST_P(StoreSuite, ANotedJobIsFoundAsItWasAccepted) {
  const auto noted = job(1, "세션/1");
  ASSERT_TRUE(store->note_accepted(noted, "print"));
  settle();
  const auto stored = found(noted);
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->id, noted.id);
  EXPECT_EQ(stored->tenant, "default");
  EXPECT_EQ(stored->kind, "chat");
  EXPECT_EQ(stored->session, "세션/1");
  EXPECT_EQ(stored->model, noted.model);
  EXPECT_EQ(stored->envelope, noted.envelope);
  EXPECT_EQ(stored->fingerprint, "print");
  EXPECT_EQ(stored->state, JobState::queued);
  EXPECT_EQ(stored->attempts, 0u);
  EXPECT_EQ(stored->created_at, noted.created_at);
  EXPECT_EQ(stored->deadline, noted.deadline);
  EXPECT_FALSE(stored->cancel_wanted || stored->started_at || stored->ended_at || stored->outcome);
}

TEST_P(StoreSuite, ANoteOnItsWayIsFoundByWhoWaitsForIt) {
  ASSERT_TRUE(store->note_accepted(job(1), "print"));
  const auto stored = loop.get(store->find_noted(job(1).id));
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->fingerprint, "print");
  EXPECT_EQ(loop.get(store->find_noted(job(2).id)).error(), Errc::not_found);
  EXPECT_EQ(stored->tenant, "default") << "whose it is, for who asks to judge";
}

TEST_P(StoreSuite, LiveJobsAreCountedByTenantAsNoted) {
  const auto live = [this](std::string_view tenant, std::uint64_t most) {
    return loop.get(store->live_jobs(tenant, most)).value();
  };
  EXPECT_EQ(live("default", 10), 0u);
  for (int i = 1; i <= 4; ++i) ASSERT_TRUE(store->note_accepted(job(i), ""));
  EXPECT_EQ(live("default", 10), 4u) << "behind the notes of this process";
  ASSERT_TRUE(loop.get(store->begin(job(1), 1)));
  EXPECT_EQ(live("default", 10), 4u) << "one that runs has not ended";
  ASSERT_TRUE(loop.get(store->finish(job(1), answer("a"), nullptr)));
  EXPECT_EQ(live("default", 10), 3u);
  EXPECT_EQ(live("default", 2), 2u) << "at most so many";
  EXPECT_EQ(live("other", 10), 0u);
}

TEST_P(StoreSuite, AnUnknownJobAndAnotherTenantsJobAreNotFoundAlike) {
  ASSERT_TRUE(store->note_accepted(job(1), "print"));
  settle();
  EXPECT_EQ(found(job(2)).error(), Errc::not_found);
  EXPECT_EQ(loop.get(store->find("other", job(1).id)).error(), Errc::not_found);
  EXPECT_EQ(loop.get(store->want_cancel("other", job(1).id)).error(), Errc::not_found);
  EXPECT_FALSE(found(job(1))->cancel_wanted);
}

TEST_P(StoreSuite, BeginMakesAJobRunningThoughItWasNeverNoted) {
  const auto begun = loop.get(store->begin(job(1, "s"), 2));
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->job.state, JobState::running);
  EXPECT_EQ(begun->job.attempts, 2u);
  EXPECT_EQ(begun->job.session, "s");
  EXPECT_TRUE(begun->job.started_at);
  EXPECT_TRUE(begun->steps.empty());
  settle();
  const auto stored = found(job(1));
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->state, JobState::running);
  EXPECT_EQ(stored->attempts, 2u);
  EXPECT_EQ(stored->envelope, job(1).envelope);
}

TEST_P(StoreSuite, ANoteThatComesLateAddsTheFingerprintAndChangesNothingElse) {
  ASSERT_TRUE(loop.get(store->finish(job(1), answer("said"), nullptr)));
  ASSERT_TRUE(store->note_accepted(job(1), "print"));
  settle();
  const auto stored = found(job(1));
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->fingerprint, "print");
  EXPECT_EQ(stored->state, JobState::succeeded);
  ASSERT_TRUE(store->note_accepted(job(1), "another"));
  settle();
  EXPECT_EQ(found(job(1))->fingerprint, "print");
}

TEST_P(StoreSuite, ASecondBeginKeepsTheFirstStartAndTheHighestAttempt) {
  ASSERT_TRUE(loop.get(store->begin(job(1), 3)));
  settle();
  const auto first = found(job(1));
  const auto again = loop.get(store->begin(job(1), 1));
  ASSERT_TRUE(first && again);
  EXPECT_EQ(again->job.attempts, 3u);
  EXPECT_EQ(again->job.started_at, first->started_at);
}

TEST_P(StoreSuite, BeginSaysWhetherItIsTheFirst) {
  ASSERT_TRUE(store->note_accepted(job(1), "print"));
  settle();
  EXPECT_FALSE(loop.get(store->begin(job(1), 1))->begun_before);
  settle();
  EXPECT_TRUE(loop.get(store->begin(job(1), 1))->begun_before);
  EXPECT_FALSE(loop.get(store->begin(job(2), 1))->begun_before);
}

TEST_P(StoreSuite, BeginAfterTheEndTellsTheOutcomeAndLeavesIt) {
  ASSERT_TRUE(loop.get(store->begin(job(1), 1)));
  ASSERT_TRUE(loop.get(store->finish(job(1), answer("끝났다 🎉"), nullptr)));
  const auto begun = loop.get(store->begin(job(1), 2));
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->job.state, JobState::succeeded);
  ASSERT_TRUE(begun->job.outcome);
  EXPECT_EQ(begun->job.outcome->text, "끝났다 🎉");
  EXPECT_EQ(begun->job.outcome->usage, R"({"total_tokens":3})");
  settle();
  EXPECT_EQ(found(job(1))->state, JobState::succeeded);
  EXPECT_EQ(found(job(1))->attempts, 1u);
}

TEST_P(StoreSuite, BeginGivesTheFinishedStepsInTheirOrder) {
  ASSERT_TRUE(loop.get(store->save_step(job(1).id, step(1, R"({"t":"둘"})"))));
  ASSERT_TRUE(loop.get(store->save_step(job(1).id, step(0, R"({"t":"하나"})"))));
  ASSERT_TRUE(loop.get(store->save_step(job(2).id, step(0, "another job's"))));
  const auto begun = loop.get(store->begin(job(1), 2));
  ASSERT_TRUE(begun);
  ASSERT_EQ(begun->steps.size(), 2u);
  EXPECT_EQ(begun->steps[0].index, 0u);
  EXPECT_EQ(begun->steps[0].kind, "llm_turn");
  EXPECT_EQ(begun->steps[0].input_hash, "h");
  EXPECT_EQ(begun->steps[0].output, R"({"t":"하나"})");
  EXPECT_EQ(begun->steps[1].output, R"({"t":"둘"})");
}

TEST_P(StoreSuite, TheFirstSavingOfAStepStandsAndAnotherInputIsAnotherStep) {
  ASSERT_TRUE(loop.get(store->save_step(job(1).id, step(0, "first"))));
  ASSERT_TRUE(loop.get(store->save_step(job(1).id, step(0, "second"))));
  ASSERT_TRUE(loop.get(store->save_step(job(1).id, step(0, "other input", "i"))));
  const auto begun = loop.get(store->begin(job(1), 2));
  ASSERT_TRUE(begun);
  ASSERT_EQ(begun->steps.size(), 2u);
  EXPECT_EQ(begun->steps[0].output, "first");
  EXPECT_EQ(begun->steps[1].output, "other input");
}

TEST_P(StoreSuite, AStepOfAJobThatHasEndedIsFenced) {
  ASSERT_TRUE(loop.get(store->finish(job(1), answer("said"), nullptr)));
  EXPECT_EQ(loop.get(store->save_step(job(1).id, step(0, "late"))).error(), Errc::fenced);
  EXPECT_TRUE(loop.get(store->begin(job(1), 2))->steps.empty());
}

TEST_P(StoreSuite, FinishKeepsEveryPartOfTheOutcome) {
  auto failed = ended_as(JobState::failed);
  failed.text = "half an answ";
  failed.error_code = "upstream_error";
  failed.error_message = "서버가 500 answered";
  failed.retryable = true;
  const auto finished = loop.get(store->finish(job(1), failed, nullptr));
  ASSERT_TRUE(finished);
  EXPECT_TRUE(finished->first);
  const auto stored = found(job(1));
  ASSERT_TRUE(stored && stored->outcome);
  EXPECT_EQ(stored->state, JobState::failed);
  EXPECT_TRUE(stored->ended_at);
  EXPECT_EQ(stored->outcome->state, JobState::failed);
  EXPECT_EQ(stored->outcome->text, failed.text);
  EXPECT_EQ(stored->outcome->finish_reason, "");
  EXPECT_EQ(stored->outcome->error_code, "upstream_error");
  EXPECT_EQ(stored->outcome->error_message, failed.error_message);
  EXPECT_TRUE(stored->outcome->retryable);
}

TEST_P(StoreSuite, FinishKeepsToolCallsWhetherTheJobHasARowOrNot) {
  auto called = answer("");
  called.tool_calls = {{"call \"1\"", "weather", R"({"city":"서울"})"},
                       {"call 2", "time", std::string(3000, 'x')}};
  ASSERT_TRUE(loop.get(store->begin(job(1), 1)));
  ASSERT_TRUE(loop.get(store->finish(job(1), called, nullptr)));
  ASSERT_TRUE(loop.get(store->finish(job(2), called, nullptr)));
  ASSERT_TRUE(loop.get(store->finish(job(3), answer("words"), nullptr)));
  EXPECT_EQ(found(job(1))->outcome->tool_calls, called.tool_calls);
  EXPECT_EQ(found(job(2))->outcome->tool_calls, called.tool_calls);
  EXPECT_TRUE(found(job(3))->outcome->tool_calls.empty());
}

TEST_P(StoreSuite, ASecondFinishGetsTheOutcomeThatStands) {
  const auto last = step(0, "the first's");
  const auto late = step(1, "the second's");
  ASSERT_TRUE(loop.get(store->begin(job(1), 1)));
  ASSERT_TRUE(loop.get(store->finish(job(1), answer("first"), &last)));
  const auto second = loop.get(store->finish(job(1), ended_as(JobState::cancelled), &late));
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->first);
  EXPECT_EQ(second->outcome.state, JobState::succeeded);
  EXPECT_EQ(second->outcome.text, "first");
  const auto begun = loop.get(store->begin(job(1), 2));
  ASSERT_EQ(begun->steps.size(), 1u);
  EXPECT_EQ(begun->steps[0].output, "the first's");
}

namespace store_suite {
inline Task<> finish_into(Store& store, Job job, Outcome outcome, std::vector<Finished>& ends) {
  const auto finished = co_await store.finish(job, outcome, nullptr);
  if (finished) ends.push_back(*finished);
}

inline void finish_on_own_loop(StoreWorld& world, bool other_process, Job job, int from,
                               std::vector<Finished>& ends) {
  TestLoop loop;
  const auto store = other_process ? world.other_process(loop.clock()) : world.port(loop.clock());
  std::vector<Task<>> tasks;
  for (int i = from; i < from + 4; ++i) {
    Outcome outcome;
    outcome.state = JobState::succeeded;
    outcome.text = std::to_string(i);
    tasks.push_back(finish_into(*store, job, outcome, ends));
  }
  loop.run(std::move(tasks));
}

inline Task<> note_and_finish(Store& store, Job job) {
  EXPECT_TRUE(store.note_accepted(job, "print"));
  Outcome outcome;
  outcome.state = JobState::succeeded;
  const auto finished = co_await store.finish(job, outcome, nullptr);
  EXPECT_TRUE(finished && finished->first);
}
}  // namespace store_suite

TEST_P(StoreSuite, OneOfEightFinishersWinsAndAllHearTheSame) {
  for (const bool other_process : {false, true}) {
    std::vector<Finished> here;
    std::vector<Finished> there;
    const auto contested = job(other_process ? 2 : 1);
    std::thread neighbour(
        [&] { store_suite::finish_on_own_loop(*world, other_process, contested, 4, there); });
    store_suite::finish_on_own_loop(*world, false, contested, 0, here);
    neighbour.join();
    here.insert(here.end(), there.begin(), there.end());
    ASSERT_EQ(here.size(), 8u);
    EXPECT_EQ(std::count_if(here.begin(), here.end(), [](auto& end) { return end.first; }), 1);
    for (const auto& end : here) EXPECT_EQ(end.outcome.text, here[0].outcome.text);
  }
}

TEST_P(StoreSuite, TheWishToCancelIsKeptWhileTheJobLivesAndSaysHowItStood) {
  ASSERT_TRUE(store->note_accepted(job(1), "print"));
  const auto wished = loop.get(store->want_cancel("default", job(1).id));
  ASSERT_TRUE(wished);
  EXPECT_TRUE(wished->cancel_wanted);
  EXPECT_EQ(wished->state, JobState::queued);
  const auto begun = loop.get(store->begin(job(1), 1));
  EXPECT_TRUE(begun->job.cancel_wanted);
  EXPECT_TRUE(loop.get(store->want_cancel("default", job(1).id))->cancel_wanted);
}

TEST_P(StoreSuite, TheWishToCancelAJobThatHasEndedChangesNothing) {
  ASSERT_TRUE(loop.get(store->finish(job(1), answer("said"), nullptr)));
  const auto wished = loop.get(store->want_cancel("default", job(1).id));
  ASSERT_TRUE(wished);
  EXPECT_FALSE(wished->cancel_wanted);
  EXPECT_EQ(wished->state, JobState::succeeded);
  EXPECT_EQ(wished->outcome->text, "said");
}

TEST_P(StoreSuite, FinishKeepsWhatWasSaidBesideTheAnswer) {
  auto outcome = answer("");
  outcome.asides = {.reasoning = "음 \"hm\"", .refusal = std::string("no\0", 3)};
  ASSERT_TRUE(loop.get(store->finish(job(1), outcome, nullptr)));
  const auto stored = found(job(1));
  ASSERT_TRUE(stored && stored->outcome);
  EXPECT_EQ(stored->outcome->asides, outcome.asides);
}

TEST_P(StoreSuite, ARedactedJobIsStillEndedAndHoldsNothingOfWhatWasSaid) {
  const auto last = step(0, "said");
  auto outcome = answer("said");
  outcome.tool_calls = {{"c", "weather", "{}"}};
  outcome.asides.reasoning = "thought";
  ASSERT_TRUE(loop.get(store->begin(job(1), 1)));
  ASSERT_TRUE(loop.get(store->finish(job(1), outcome, &last)));
  Job left = job(1);
  left.envelope = R"({"v":1,"input":""})";
  ASSERT_TRUE(loop.get(store->redact(left)));
  const auto begun = loop.get(store->begin(job(1), 2));
  ASSERT_TRUE(begun && begun->job.outcome);
  EXPECT_EQ(begun->job.state, JobState::succeeded);
  EXPECT_EQ(begun->job.envelope, left.envelope);
  EXPECT_EQ(begun->job.outcome->text, "");
  EXPECT_TRUE(begun->job.outcome->tool_calls.empty());
  EXPECT_EQ(begun->job.outcome->asides, Asides());
  EXPECT_EQ(begun->job.outcome->usage, outcome.usage);
  EXPECT_TRUE(begun->steps.empty());
}

TEST_P(StoreSuite, AJobThatIsNotToBeKeptIsFoundOnceItHasEndedUntilItIsRedacted) {
  const auto unkept = [&](WallTime before, std::uint32_t limit = 10) {
    const auto found = loop.get(store->unkept(before, limit));
    EXPECT_TRUE(found);
    return found ? *found : std::vector<StoredJob>();
  };
  const auto later = loop.clock().wall() + std::chrono::hours(1);
  for (int i = 1; i <= 3; ++i) {
    Job brief = job(i);
    brief.kept = i == 3;
    ASSERT_TRUE(loop.get(store->begin(brief, 1)));
    EXPECT_TRUE(unkept(later).size() == static_cast<std::size_t>(i - 1)) << "it lives";
    ASSERT_TRUE(loop.get(store->finish(brief, answer("said"), nullptr)));
    if (i == 3) break;
    ASSERT_EQ(unkept(later).size(), static_cast<std::size_t>(i));
  }
  EXPECT_EQ(unkept(later).size(), 2u);
  EXPECT_EQ(unkept(later, 1).size(), 1u);
  EXPECT_TRUE(unkept(WallTime{}).empty());
  const auto first = unkept(later).front();
  EXPECT_EQ(first.envelope, job(1).envelope);
  EXPECT_EQ(first.outcome->text, "said");
  ASSERT_TRUE(loop.get(store->redact(job(1))));
  ASSERT_EQ(unkept(later).size(), 1u);
  EXPECT_EQ(unkept(later).front().id, job(2).id);
}

TEST_P(StoreSuite, AJobThatLivesOrIsAnothersIsNotRedacted) {
  ASSERT_TRUE(loop.get(store->begin(job(1), 1)));
  Job left = job(1);
  left.envelope = "{}";
  ASSERT_TRUE(loop.get(store->redact(left)));
  ASSERT_TRUE(loop.get(store->finish(job(1), answer("said"), nullptr)));
  left.tenant = "other";
  ASSERT_TRUE(loop.get(store->redact(left)));
  const auto stored = found(job(1));
  ASSERT_TRUE(stored && stored->outcome);
  EXPECT_EQ(stored->envelope, job(1).envelope);
  EXPECT_EQ(stored->outcome->text, "said");
}

TEST_P(StoreSuite, WhatOneProcessFinishedTheOtherReads) {
  const auto other = world->other_process(loop.clock());
  EXPECT_EQ(store->id(), other->id());
  EXPECT_EQ(store->id().size(), 32u);
  ASSERT_TRUE(loop.get(store->finish(job(1), answer("said"), nullptr)));
  const auto stored = loop.get(other->find("default", job(1).id));
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->outcome->text, "said");
}

TEST_P(StoreSuite, ListsGoFromTheNewestToTheOldestPageByPage) {
  // Noted in another order than created; 4 and 5 share their time, so the id decides.
  auto twin = job(5);
  twin.created_at = job(4).created_at;
  for (const auto& noted : {job(2), job(1), twin, job(4), job(3)})
    ASSERT_TRUE(store->note_accepted(noted, "print"));
  settle();
  JobFilter page;
  page.limit = 2;
  EXPECT_EQ(listed(page), (std::vector{job(5).id, job(4).id}));
  page.after = job(4).id;
  EXPECT_EQ(listed(page), (std::vector{job(3).id, job(2).id}));
  page.after = job(2).id;
  EXPECT_EQ(listed(page), (std::vector{job(1).id}));
  page.after = job(1).id;
  EXPECT_EQ(listed(page), std::vector<JobId>{});
  page.after = job(9).id;
  EXPECT_EQ(loop.get(store->list(page)).error(), Errc::not_found);
}

TEST_P(StoreSuite, ListsKeepToTheirFilters) {
  auto foreign = job(1, "s");
  foreign.tenant = "other";
  auto analysis = job(2, "s");
  analysis.kind = "analysis";
  for (const auto& noted : {foreign, analysis, job(3, "s"), job(4, "t"), job(5)})
    ASSERT_TRUE(store->note_accepted(noted, "print"));
  ASSERT_TRUE(loop.get(store->finish(job(3, "s"), answer("said"), nullptr)));
  const auto other_tenant = [](JobFilter narrowed) {
    narrowed.tenant = "other";
    return narrowed;
  };
  EXPECT_EQ(listed(filter()), (std::vector{job(5).id, job(4).id, job(3).id, job(2).id}));
  EXPECT_EQ(listed(other_tenant(filter())), (std::vector{job(1).id}));
  EXPECT_EQ(listed(other_tenant(filter("t"))), std::vector<JobId>{});
  EXPECT_EQ(listed(filter("s")), (std::vector{job(3).id, job(2).id}));
  EXPECT_EQ(listed(filter("", "analysis")), (std::vector{job(2).id}));
  EXPECT_EQ(listed(filter("", "", JobState::succeeded)), (std::vector{job(3).id}));
  EXPECT_EQ(listed(filter("s", "", JobState::queued)), (std::vector{job(2).id}));
  auto older = filter("s");
  older.after = job(3).id;
  EXPECT_EQ(listed(older), (std::vector{job(2).id}));
}

TEST_P(StoreSuite, ManyJobsAtOnceAllEnd) {
  std::vector<Task<>> tasks;
  for (int i = 0; i < 500; ++i) tasks.push_back(store_suite::note_and_finish(*store, job(i)));
  loop.run(std::move(tasks));
  EXPECT_EQ(listed(filter("", "", JobState::succeeded)).size(), 500u);
}

TEST_P(StoreSuite, TextsAreKeptByteForByte) {
  auto noted = job(1);
  noted.model = std::string("nul\0inside", 10);
  noted.envelope = "😀 \"quotes\" 'single' -- ; DROP TABLE jobs \\ \n\t 한글";
  const auto last = step(0, std::string(300'000, 'x') + "끝");
  ASSERT_TRUE(loop.get(store->finish(noted, answer(std::string(1'000'000, 'y') + "끝"), &last)));
  const auto begun = loop.get(store->begin(noted, 1));
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->job.model, noted.model);
  EXPECT_EQ(begun->job.envelope, noted.envelope);
  EXPECT_EQ(begun->job.outcome->text.size(), 1'000'003u);
  EXPECT_EQ(begun->steps.at(0).output, last.output);
}

}  // namespace millrace
