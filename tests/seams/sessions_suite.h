#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "shared/runtime/model_prices.h"
#include "shared/sessions.h"
#include "shared/store.h"
#include "tests/seams/test_loop.h"

/// What every Store promises of conversations. An adapter's test program includes this file once
/// and adds `INSTANTIATE_TEST_SUITE_P(Name, SessionsSuite, testing::Values(make_world))`.
namespace millrace {

/// One truth, empty at first.
class SessionsWorld {
 public:
  virtual ~SessionsWorld() = default;
  virtual std::unique_ptr<Store> store(Clock& clock) = 0;
  virtual std::unique_ptr<Sessions> sessions(Clock& clock, Duration timeout) = 0;
  /// Removes what has expired, until cancelled.
  virtual Task<> remove_old(Clock& clock, Duration timeout) = 0;
  /// The rows of `chat_history`, a line each: session, user, assistant, tools, model, tokens, cost,
  /// with `|`. Nothing where there is no SQL.
  virtual std::optional<std::vector<std::string>> history() = 0;
};

/// Those of every world's Store.
inline ModelPrices suite_prices() {
  return ModelPrices::read("m=2.50/10, dear-*=0.1/0.2").value();
}

using MakeSessionsWorld = std::unique_ptr<SessionsWorld> (*)();

class SessionsSuite : public testing::TestWithParam<MakeSessionsWorld> {
 protected:
  static Job job(int number, std::string session, std::string tenant = "default") {
    Job made;
    made.id.bytes = {0x01, 0x90, 7, 7, 7, 7, 0x70, 0, 0x80};
    made.id.bytes[14] = static_cast<std::uint8_t>(number >> 8);
    made.id.bytes[15] = static_cast<std::uint8_t>(number);
    made.session = std::move(session);
    made.tenant = std::move(tenant);
    made.created_at = WallTime(std::chrono::milliseconds(1'767'225'600'000 + number));
    made.deadline = made.created_at + std::chrono::hours(24);
    made.envelope = "{}";
    return made;
  }
  static Outcome ended(JobState state, std::string text) {
    Outcome outcome;
    outcome.state = state;
    outcome.text = std::move(text);
    outcome.model = "m";
    outcome.usage = R"({"prompt_tokens":1,"completion_tokens":2,"total_tokens":3})";
    return outcome;
  }
  void finish(const Job& job, const Outcome& outcome) {
    ASSERT_TRUE(loop.get(store->finish(job, outcome, nullptr)));
  }
  Result<Session> created(std::string_view id, std::string_view tenant = "default") {
    return loop.get(sessions->create(tenant, id, R"({"user":"나"})"));
  }
  Result<Session> accessed(std::string_view id, std::string_view tenant = "default") {
    return loop.get(sessions->access(tenant, id));
  }
  /// `role:content` of each, with its status where it is not whole.
  std::vector<std::string> said(std::string_view id, std::uint32_t limit = 100,
                                std::optional<JobId> until = {}) {
    const auto messages = loop.get(sessions->messages("default", id, limit, until));
    EXPECT_TRUE(messages);
    std::vector<std::string> lines;
    if (messages)
      for (const auto& message : *messages)
        lines.push_back(message.role + ":" + message.content +
                        (message.status == "complete" ? "" : "(" + message.status + ")"));
    return lines;
  }
  using Lines = std::vector<std::string>;

  TestLoop loop;
  std::unique_ptr<SessionsWorld> world = GetParam()();
  std::unique_ptr<Store> store = world->store(loop.clock());
  std::unique_ptr<Sessions> sessions = world->sessions(loop.clock(), 1h);
};

TEST_P(SessionsSuite, ASessionIsFoundAsItWasMade) {
  const auto made = created("s");
  ASSERT_TRUE(made);
  EXPECT_EQ(made->created_at, made->last_accessed);
  const auto found = accessed("s");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, "s");
  EXPECT_EQ(found->tenant, "default");
  EXPECT_EQ(found->metadata, R"({"user":"나"})");
  EXPECT_EQ(found->created_at, made->created_at);
  EXPECT_GE(found->last_accessed, made->last_accessed);
  EXPECT_EQ(created("s").error(), Errc::conflict);
}

TEST_P(SessionsSuite, AnUnknownSessionAndAnotherTenantsAreNotFoundAlike) {
  ASSERT_TRUE(created("s"));
  for (const auto& [tenant, id] : {std::pair("default", "t"), std::pair("other", "s")}) {
    EXPECT_EQ(accessed(id, tenant).error(), Errc::not_found);
    EXPECT_EQ(loop.get(sessions->remove(tenant, id)).error(), Errc::not_found);
    EXPECT_EQ(loop.get(sessions->messages(tenant, id, 10)).error(), Errc::not_found);
    EXPECT_EQ(loop.get(sessions->ask(job(1, id, tenant), "?")).error(), Errc::not_found);
  }
  EXPECT_TRUE(created("s", "other")) << "a name is its tenant's own";
  EXPECT_TRUE(accessed("s"));
}

TEST_P(SessionsSuite, TheEndOfAJobIsTheAnswerToItsQuestion) {
  ASSERT_TRUE(created("s"));
  const auto asked = loop.get(sessions->ask(job(1, "s"), "왜?"));
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->id, question_id(job(1, "s").id));
  EXPECT_EQ(said("s"), (Lines{"user:왜?"}));
  finish(job(1, "s"), ended(JobState::succeeded, "그래서 🎉"));
  const auto messages = loop.get(sessions->messages("default", "s", 10));
  ASSERT_TRUE(messages && messages->size() == 2);
  EXPECT_EQ(said("s"), (Lines{"user:왜?", "assistant:그래서 🎉"}));
  EXPECT_EQ(messages->at(1).id, answer_id(job(1, "s").id));
  EXPECT_EQ(messages->at(1).job, job(1, "s").id);
  EXPECT_EQ(messages->at(1).token_usage, ended(JobState::succeeded, "").usage);
  EXPECT_EQ(messages->at(0).token_usage, "");
}

TEST_P(SessionsSuite, ASecondEndOrQuestionOfAJobAddsNothing) {
  ASSERT_TRUE(created("s"));
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(loop.get(sessions->ask(job(1, "s"), "?")));
  finish(job(1, "s"), ended(JobState::succeeded, "first"));
  finish(job(1, "s"), ended(JobState::cancelled, "second"));
  ASSERT_TRUE(loop.get(sessions->ask(job(1, "s"), "again")));
  EXPECT_EQ(said("s"), (Lines{"user:?", "assistant:first"}));
}

TEST_P(SessionsSuite, WhatWasSaidBeforeAnInterruptionIsKeptAndMarked) {
  ASSERT_TRUE(created("s"));
  const std::vector<Outcome> ends{ended(JobState::cancelled, "half an"),
                                  ended(JobState::failed, "a third"),
                                  ended(JobState::expired, "late"), ended(JobState::cancelled, ""),
                                  ended(JobState::succeeded, "")};
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(loop.get(sessions->ask(job(i, "s"), std::to_string(i))));
    finish(job(i, "s"), ends[static_cast<std::size_t>(i)]);
  }
  EXPECT_EQ(said("s"), (Lines{"user:0", "assistant:half an(interrupted)", "user:1",
                              "assistant:a third(failed)", "user:2", "assistant:late(expired)",
                              "user:3(interrupted)", "user:4", "assistant:"}));
}

TEST_P(SessionsSuite, TurnsStandInTheOrderTheyWereAskedWhicheverEndsFirst) {
  ASSERT_TRUE(created("s"));
  for (int i = 1; i <= 3; ++i) ASSERT_TRUE(loop.get(sessions->ask(job(i, "s"), std::to_string(i))));
  finish(job(3, "s"), ended(JobState::succeeded, "c"));
  finish(job(1, "s"), ended(JobState::succeeded, "a"));
  EXPECT_EQ(said("s"), (Lines{"user:1", "assistant:a", "user:2", "user:3", "assistant:c"}));
  EXPECT_EQ(said("s", 2), (Lines{"user:3", "assistant:c"}));
  EXPECT_EQ(said("s", 3, job(2, "s").id), (Lines{"user:1", "assistant:a", "user:2"}));
  EXPECT_EQ(said("s", 1, job(2, "s").id), (Lines{"user:2"}));
  EXPECT_EQ(said("s", 0), Lines{});
}

TEST_P(SessionsSuite, AWithdrawnTurnLeavesNothing) {
  ASSERT_TRUE(created("s"));
  for (int i = 1; i <= 3; ++i) ASSERT_TRUE(loop.get(sessions->ask(job(i, "s"), std::to_string(i))));
  finish(job(1, "s"), ended(JobState::succeeded, "a"));
  ASSERT_TRUE(loop.get(sessions->withdraw(job(1, "s"))));
  ASSERT_TRUE(loop.get(sessions->withdraw(job(2, "s"))));
  ASSERT_TRUE(loop.get(sessions->withdraw(job(9, "s"))));
  finish(job(2, "s"), ended(JobState::cancelled, "half"));
  EXPECT_EQ(said("s"), (Lines{"user:3"}));
}

TEST_P(SessionsSuite, ADeletedSessionTakesItsMessagesAlongAndALateEndLeavesNone) {
  ASSERT_TRUE(created("s"));
  ASSERT_TRUE(loop.get(sessions->ask(job(1, "s"), "?")));
  ASSERT_TRUE(loop.get(sessions->remove("default", "s")));
  EXPECT_EQ(accessed("s").error(), Errc::not_found);
  finish(job(1, "s"), ended(JobState::succeeded, "late"));
  ASSERT_TRUE(created("s"));
  EXPECT_EQ(said("s"), Lines{});
}

TEST_P(SessionsSuite, TheTurnsOfADeletedSessionAreKeptNoLongerWheneverTheyEnd) {
  const auto turn = [](int number, std::string session) {
    Job made = job(number, std::move(session));
    made.context = SessionContext{10};
    return made;
  };
  const auto unkept = [&] {
    std::vector<JobId> ids;
    const auto found = loop.get(store->unkept(loop.clock().wall() + 1s, 10));
    EXPECT_TRUE(found);
    if (found)
      for (const auto& one : *found) ids.push_back(one.id);
    std::ranges::sort(ids);
    return ids;
  };
  ASSERT_TRUE(created("s"));
  ASSERT_TRUE(created("stays"));
  for (const Job& one : {turn(1, "s"), turn(2, "s"), turn(4, "stays")})
    ASSERT_TRUE(loop.get(sessions->ask(one, "?")));
  finish(turn(1, "s"), ended(JobState::succeeded, "said"));
  finish(job(3, "s"), ended(JobState::succeeded, "a job of /v1/jobs"));
  finish(turn(4, "stays"), ended(JobState::succeeded, "said"));
  EXPECT_TRUE(unkept().empty());
  ASSERT_TRUE(loop.get(sessions->remove("default", "s")));
  EXPECT_EQ(unkept(), (std::vector{job(1, "s").id}));
  finish(turn(2, "s"), ended(JobState::cancelled, "late"));
  EXPECT_EQ(unkept(), (std::vector{job(1, "s").id, job(2, "s").id}));
  ASSERT_TRUE(loop.get(store->redact(job(1, "s"))));
  EXPECT_EQ(unkept(), (std::vector{job(2, "s").id}));
}

TEST_P(SessionsSuite, AQuestionThatWasNotAnsweredSaysHowItsJobEnded) {
  ASSERT_TRUE(created("s"));
  const std::vector<JobState> ends{JobState::failed, JobState::expired, JobState::cancelled};
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(loop.get(sessions->ask(job(i, "s"), "?")));
    finish(job(i, "s"), ended(ends[static_cast<std::size_t>(i)], ""));
  }
  EXPECT_EQ(said("s"), (Lines{"user:?(failed)", "user:?(expired)", "user:?(interrupted)"}));
}

TEST_P(SessionsSuite, AJobWithoutAQuestionHasItsSessionAndLeavesNoMessage) {
  ASSERT_TRUE(created("s"));
  finish(job(1, "s"), ended(JobState::succeeded, "a job of /v1/jobs"));
  EXPECT_EQ(said("s"), Lines{});
}

TEST_P(SessionsSuite, ASessionExpiresUnlessItIsAccessed) {
  const auto brief = world->sessions(loop.clock(), 500ms);
  ASSERT_TRUE(loop.get(brief->create("default", "old", "")));
  ASSERT_TRUE(loop.get(brief->ask(job(1, "old"), "?")));
  const Instant until = loop.clock().now() + 700ms;
  ASSERT_TRUE(created("kept"));
  while (loop.clock().now() < until) {
    loop.run_one(loop.clock().sleep_for(5ms));
    ASSERT_TRUE(accessed("kept"));
  }
  EXPECT_EQ(loop.get(brief->access("default", "old")).error(), Errc::not_found);
  EXPECT_EQ(loop.get(brief->messages("default", "old", 10)).error(), Errc::not_found);
  EXPECT_EQ(loop.get(brief->ask(job(2, "old"), "?")).error(), Errc::not_found);
  EXPECT_EQ(loop.get(brief->remove("default", "old")).error(), Errc::not_found);
  EXPECT_TRUE(accessed("old")) << "expired for those who keep it for less";
  EXPECT_TRUE(accessed("kept"));
  loop.run_one(loop.clock().sleep_for(700ms));
  ASSERT_TRUE(loop.get(brief->create("default", "old", "new")));
  EXPECT_EQ(said("old"), Lines{}) << "what is left of one that has expired is not the next one's";
}

namespace sessions_suite {
inline Task<> ask_one(Sessions& sessions, Job job, std::string content) {
  const auto asked = co_await sessions.ask(job, content);
  EXPECT_TRUE(asked);
}
inline Task<> until_gone(Clock& clock, Sessions& sessions, Task<> removing) {
  Nursery nursery(clock);
  nursery.start(std::move(removing));
  for (bool there = true; there;) {
    const auto found = co_await sessions.messages("default", "s99", 1);
    there = found.has_value();
    co_await clock.sleep_for(1ms);
  }
  nursery.stop();
  co_await nursery.join();
}
}  // namespace sessions_suite

TEST_P(SessionsSuite, ExpiredSessionsAreRemovedWithTheirMessages) {
  for (int i = 0; i < 100; ++i) {
    const auto name = "s" + std::to_string(i);
    ASSERT_TRUE(created(name));
    ASSERT_TRUE(loop.get(sessions->ask(job(i, name), "?")));
  }
  loop.run_one(loop.clock().sleep_for(20ms));
  ASSERT_TRUE(created("young"));
  loop.run_one(
      sessions_suite::until_gone(loop.clock(), *sessions, world->remove_old(loop.clock(), 15ms)));
  EXPECT_EQ(accessed("s0").error(), Errc::not_found);
  if (const auto history = world->history()) EXPECT_EQ(*history, Lines{});
}

TEST_P(SessionsSuite, ASessionLivesWhileItsJobDoesAndFromTheAnswerOn) {
  const auto brief = world->sessions(loop.clock(), 200ms);
  const auto question = job(1, "s");
  ASSERT_TRUE(loop.get(brief->create("default", "s", "")));
  ASSERT_TRUE(loop.get(brief->ask(question, "?")));
  ASSERT_TRUE(loop.get(store->begin(question, 1)));
  loop.run_one(loop.clock().sleep_for(300ms));
  for (int i = 0; i < 100; ++i) {
    const auto name = "s" + std::to_string(i);
    ASSERT_TRUE(created(name));
  }
  loop.run_one(loop.clock().sleep_for(20ms));
  loop.run_one(
      sessions_suite::until_gone(loop.clock(), *sessions, world->remove_old(loop.clock(), 15ms)));
  EXPECT_TRUE(loop.get(brief->messages("default", "s", 10))) << "its job runs";
  EXPECT_EQ(loop.get(brief->create("default", "s", "")).error(), Errc::conflict);
  finish(question, ended(JobState::succeeded, "!"));
  const auto answered = loop.get(brief->messages("default", "s", 10));
  ASSERT_TRUE(answered) << "nobody has accessed it for longer than the time-out";
  EXPECT_EQ(answered->size(), 2u);
  loop.run_one(loop.clock().sleep_for(300ms));
  EXPECT_EQ(loop.get(brief->messages("default", "s", 10)).error(), Errc::not_found);
  EXPECT_EQ(loop.get(brief->access("default", "s")).error(), Errc::not_found);
}

TEST_P(SessionsSuite, QuestionsAskedAtOnceFromManyLoopsAllHaveATurnOfTheirOwn) {
  ASSERT_TRUE(created("s"));
  std::vector<std::thread> loops;
  for (int from : {0, 100, 200})
    loops.emplace_back([this, from] {
      TestLoop own;
      const auto port = world->sessions(own.clock(), 1h);
      std::vector<Task<>> tasks;
      for (int i = from; i < from + 50; ++i)
        tasks.push_back(sessions_suite::ask_one(*port, job(i, "s"), std::to_string(i)));
      own.run(std::move(tasks));
    });
  for (auto& one : loops) one.join();
  auto lines = said("s", 1000);
  EXPECT_EQ(lines.size(), 150u);
  std::ranges::sort(lines);
  EXPECT_EQ(std::ranges::unique(lines).size(), 0u);
}

TEST_P(SessionsSuite, TheHistoryTellsEachTurnOnALine) {
  ASSERT_TRUE(created("s"));
  ASSERT_TRUE(loop.get(sessions->ask(job(1, "s"), "왜?")));
  finish(job(1, "s"), ended(JobState::succeeded, "so"));
  ASSERT_TRUE(loop.get(sessions->ask(job(2, "s"), "and?")));
  const auto history = world->history();
  if (!history) return;
  EXPECT_EQ(*history, (Lines{"s|왜?|so|[]|m|3|0.0000225", "s|and?||[]|||"}));
}

TEST_P(SessionsSuite, ASummaryIsKeptWithItsSessionAndGoesWithIt) {
  ASSERT_TRUE(created("s"));
  const auto kept = [&] { return loop.get(sessions->summary("default", "s")); };
  EXPECT_EQ(kept()->text, "");
  ASSERT_TRUE(loop.get(sessions->keep_summary("default", "s", {"짧게 \"a\"", "m-1"})));
  ASSERT_TRUE(loop.get(sessions->keep_summary("default", "s", {"더 짧게", "m-2"})));
  EXPECT_EQ(kept()->text, "더 짧게");
  EXPECT_EQ(kept()->upto, "m-2");
  EXPECT_EQ(loop.get(sessions->summary("another", "s")).error(), Errc::not_found);
  EXPECT_EQ(loop.get(sessions->keep_summary("another", "s", {"x", "y"})).error(), Errc::not_found);
  ASSERT_TRUE(loop.get(sessions->remove("default", "s")));
  EXPECT_EQ(kept().error(), Errc::not_found);
  ASSERT_TRUE(created("s"));
  EXPECT_EQ(kept()->text, "");
}

TEST_P(SessionsSuite, AnAnswerCostsWhatItsModelAndTokensDoAndNothingIsMadeUp) {
  ASSERT_TRUE(created("s"));
  auto tooled = ended(JobState::succeeded, "tooled");
  tooled.model = "dear-one";
  tooled.tool_calls = {{.call_id = "1", .name = "날씨", .arguments = "{}"},
                       {.call_id = "2", .name = "sum", .arguments = "{}"},
                       {.call_id = "3", .name = "날씨", .arguments = "{}"}};
  auto unpriced = ended(JobState::succeeded, "unpriced");
  unpriced.model = "m-large";
  auto untold = ended(JobState::cancelled, "untold");
  untold.usage.clear();
  auto odd = ended(JobState::succeeded, "odd");
  odd.usage = R"({"prompt_tokens":1.5,"completion_tokens":"2","total_tokens":1e99})";
  auto large = ended(JobState::succeeded, "large");
  large.usage = R"({"prompt_tokens":123456789,"completion_tokens":1,"total_tokens":123456790})";
  const std::vector<Outcome> ends{tooled, unpriced, untold, odd, large};
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(loop.get(sessions->ask(job(i, "s"), "?")));
    finish(job(i, "s"), ends[static_cast<std::size_t>(i)]);
  }
  const auto history = world->history();
  if (!history) return;
  EXPECT_EQ(*history, (Lines{R"(s|?|tooled|["날씨","sum"]|dear-one|3|0.0000005)",
                             "s|?|unpriced|[]|m-large|3|", "s|?|untold|[]|m||", "s|?|odd|[]|m||",
                             "s|?|large|[]|m|123456790|308.6419825"}));
}

}  // namespace millrace
