#include "workers/pool/conversation.h"

#include "shared/runtime/json_text.h"
#include "tests/workers/pool/world.h"
#include "workers/pool/llm_turn.h"

namespace millrace {
namespace {

struct TalkWorld : World {
  std::vector<Message>& said = sessions.said["s"];

  Message message(std::string role, std::string content) {
    return {.id = "", .role = std::move(role), .content = std::move(content), .job = turn};
  }
  /// A turn that has ended.
  void turn_of(std::string question, std::string answer) {
    turn = new_job_id(clock.wall(), random);
    said.push_back(message("user", std::move(question)));
    said.push_back(message("assistant", std::move(answer)));
  }
  /// The next message, as an edge has taken it.
  Job make_message(std::string_view text, std::uint32_t messages = 10) {
    Job job = make_job();
    job.session = "s";
    job.input.clear();
    append_json_string(job.input, text);
    job.context = SessionContext{messages};
    turn = job.id;
    said.push_back(message("user", std::string(text)));
    return job;
  }
  JobId turn;
};

const std::string user = R"({"role":"user","content":)";
const std::string assistant = R"({"role":"assistant","content":)";

TEST(Conversation, WhatWasSaidBeforeGoesToTheModelAndThenTheMessage) {
  TalkWorld world;
  world.turn_of("안녕?", "응 \"a\"");
  world.start_worker();
  const Job job = world.accept(world.make_message("왜?"));
  world.clock.run_for(5s);
  EXPECT_EQ(world.outcome(job)->state, JobState::succeeded);
  ASSERT_EQ(world.model.inputs.size(), 1u);
  EXPECT_EQ(world.model.inputs[0],
            "[" + user + "\"안녕?\"}," + assistant + R"("응 \"a\""},)" + user + "\"왜?\"}]");
}

TEST(Conversation, AnAnswerThatCameWhileTheMessageWaitedIsPartOfIt) {
  TalkWorld world;
  world.turn_of("a", "");
  const Job job = world.accept(world.make_message("b"));
  world.said[1].content = "late";
  world.start_worker();
  world.clock.run_for(5s);
  ASSERT_EQ(world.model.inputs.size(), 1u);
  EXPECT_TRUE(world.model.inputs[0].contains(assistant + "\"late\"}")) << world.model.inputs[0];
  EXPECT_EQ(world.outcome(job)->state, JobState::succeeded);
}

TEST(Conversation, TheLastMessagesGoFromAUsersOnAndNoneThatIsEmpty) {
  TalkWorld world;
  world.turn_of("a", "b");
  world.turn_of("c", "");
  world.start_worker();
  world.accept(world.make_message("d", 3));
  world.clock.run_for(5s);
  ASSERT_EQ(world.model.inputs.size(), 1u);
  EXPECT_EQ(world.model.inputs[0],
            "[" + user + "\"a\"}," + assistant + "\"b\"}," + user + "\"d\"}]");
}

TEST(Conversation, AQuestionThatWasNotAnsweredIsNotAskedAgainBesideTheNextOne) {
  TalkWorld world;
  world.turn_of("first", "so");
  world.turn_of("failed", "half");
  world.said.back().status = "failed";
  world.turn_of("interrupted", "as far as");
  world.said.back().status = "interrupted";
  world.turn = new_job_id(world.clock.wall(), world.random);
  world.said.push_back(world.message("user", "again?"));
  world.said.back().status = "failed";
  world.start_worker();
  world.accept(world.make_message("again?"));
  world.clock.run_for(5s);
  ASSERT_EQ(world.model.inputs.size(), 1u);
  EXPECT_EQ(world.model.inputs[0], "[" + user + "\"first\"}," + assistant + "\"so\"}," + user +
                                       "\"interrupted\"}," + assistant + "\"as far as\"}," + user +
                                       "\"again?\"}]");
}

TEST(Conversation, WhatCameAfterTheMessageIsNoPartOfIt) {
  TalkWorld world;
  const Job job = world.accept(world.make_message("first"));
  world.make_message("second");
  world.start_worker();
  world.clock.run_for(5s);
  ASSERT_EQ(world.model.inputs.size(), 1u);
  EXPECT_EQ(world.model.inputs[0], "[" + user + "\"first\"}]");
}

TEST(Conversation, MoreThanFitsIsLeftOutFromItsBeginning) {
  TalkWorld world;
  world.turn_of("a", "");
  world.turn_of(std::string(limits::context_bytes_max - 1, 'x'), "b");
  world.start_worker();
  world.accept(world.make_message("c"));
  world.clock.run_for(5s);
  ASSERT_EQ(world.model.inputs.size(), 1u);
  EXPECT_TRUE(world.model.inputs[0].starts_with("[" + user + "\"xx"));
}

TEST(Conversation, ASessionThatHasGoneHasSaidNothing) {
  TalkWorld world;
  world.turn_of("a", "b");
  world.start_worker();
  const Job job = world.make_message("c");
  world.sessions.said.clear();
  world.accept(job);
  world.clock.run_for(5s);
  ASSERT_EQ(world.model.inputs.size(), 1u);
  EXPECT_EQ(world.model.inputs[0], "[" + user + "\"c\"}]");
}

TEST(Conversation, AStoreThatIsAwayIsWaitedFor) {
  TalkWorld world;
  world.turn_of("a", "b");
  world.start_worker();
  world.sessions.fails = Errc::unavailable;
  const Job job = world.accept(world.make_message("c"));
  world.clock.run_for(5s);
  EXPECT_TRUE(world.model.inputs.empty());
  world.sessions.fails.reset();
  world.clock.run_for(5s);
  EXPECT_EQ(world.outcome(job)->state, JobState::succeeded);
  ASSERT_EQ(world.model.inputs.size(), 1u);
  EXPECT_TRUE(world.model.inputs[0].contains(assistant + "\"b\"}"));
  world.expect_sound(job);
}

TEST(Conversation, AnotherRunAsksTheSame) {
  TalkWorld world;
  world.turn_of("a", "b");
  world.model.failing.push_back({1, {.code = "upstream_cut", .message = "", .retryable = true}});
  world.start_worker();
  const Job job = world.accept(world.make_message("c"));
  world.clock.run_for(10s);
  EXPECT_EQ(world.outcome(job)->state, JobState::succeeded);
  ASSERT_EQ(world.model.inputs.size(), 2u);
  EXPECT_EQ(world.model.inputs[0], world.model.inputs[1]);
}

TEST(Conversation, AFinishedTurnIsNotAskedAgainForWhatWasSaidSince) {
  TalkWorld world;
  world.turn_of("a", "b");
  const Job job = world.make_message("c");
  const Step step{.index = 0,
                  .kind = "llm_turn",
                  .input_hash = turn_hash(job),
                  .output = R"({"text":"kept","finish_reason":"stop","model":"m"})"};
  world.store.steps[job.id].push_back(step);
  world.said.clear();
  world.accept(job);
  world.start_worker();
  world.clock.run_for(5s);
  EXPECT_EQ(world.outcome(job)->text, "kept");
  EXPECT_TRUE(world.model.inputs.empty());
}

TEST(Conversation, AJobThatBringsItsOwnMessagesIsNotAddedTo) {
  TalkWorld world;
  world.turn_of("a", "b");
  world.start_worker();
  Job job = world.make_job();
  job.session = "s";
  world.accept(job);
  world.clock.run_for(5s);
  EXPECT_EQ(world.sessions.reads, 0u);
  ASSERT_EQ(world.model.inputs.size(), 1u);
  EXPECT_EQ(world.model.inputs[0], R"("hello")");
}

}  // namespace
}  // namespace millrace
