#include "workers/pool/summary.h"

#include "shared/runtime/json_text.h"
#include "tests/workers/pool/world.h"

namespace millrace {
namespace {

/// A session of three turns whose messages are a1 b1 a2 b2 a3 b3, and the next message.
struct LongWorld : World {
  std::vector<Message>& said = sessions.said["s"];
  int turns = 0;

  void turn() {
    const JobId job = new_job_id(clock.wall(), random);
    const std::string number = std::to_string(++turns);
    said.push_back({.id = "a" + number, .role = "user", .content = "a" + number, .job = job});
    said.push_back({.id = "b" + number, .role = "assistant", .content = "b" + number, .job = job});
  }
  LongWorld() {
    for (int i = 0; i < 3; ++i) turn();
  }
  Job make_message(std::uint32_t messages = 3) {
    Job job = make_job();
    job.session = "s";
    job.input = R"("next")";
    job.context = SessionContext{messages, true};
    said.push_back({.id = "q", .role = "user", .content = "next", .job = job.id});
    return job;
  }
  std::string asked(std::size_t turn) { return model.inputs.at(turn); }
};

const std::string summed = fake::Model::text(3);

TEST(Summary, OlderMessagesGoToTheModelAsOne) {
  LongWorld world;
  world.start_worker();
  const Job job = world.accept(world.make_message());
  world.clock.run_for(5s);
  EXPECT_EQ(world.outcome(job)->state, JobState::succeeded);
  ASSERT_EQ(world.model.inputs.size(), 2u);
  EXPECT_TRUE(world.asked(0).contains(R"(user: a1\nassistant: b1\nuser: a2\nassistant: b2\n"}])"));
  EXPECT_EQ(world.asked(1),
            R"([{"role":"system","content":"What was said before, in short:\n)" + summed +
                R"("},{"role":"user","content":"a3"},{"role":"assistant","content":"b3"},)"
                R"({"role":"user","content":"next"}])");
  EXPECT_EQ(world.told(job), "queued started delta delta delta done");
  EXPECT_EQ(world.sessions.summaries["s"].upto, "b2");
}

TEST(Summary, GrowsByWhatIsNewAlone) {
  LongWorld world;
  world.sessions.summaries["s"] = {"so far", "b1"};
  world.start_worker();
  world.accept(world.make_message());
  world.clock.run_for(5s);
  ASSERT_EQ(world.model.inputs.size(), 2u);
  EXPECT_TRUE(world.asked(0).contains(
      R"("Summary so far:\nso far\n\nConversation:\nuser: a2\nassistant: b2\n"}])"))
      << world.asked(0);
}

TEST(Summary, WhereAllHasBeenToldNothingIsPaid) {
  LongWorld world;
  world.sessions.summaries["s"] = {"so far", "b2"};
  world.start_worker();
  world.accept(world.make_message());
  world.clock.run_for(5s);
  ASSERT_EQ(world.model.inputs.size(), 1u);
  EXPECT_TRUE(world.asked(0).contains("in short:\\nso far"));
}

TEST(Summary, WhatItTellsIsNotToldAgainThoughMoreGoesToTheModelNow) {
  LongWorld world;
  world.sessions.summaries["s"] = {"so far", "b2"};
  world.start_worker();
  world.accept(world.make_message(5));
  world.clock.run_for(5s);
  ASSERT_EQ(world.model.inputs.size(), 1u);
  EXPECT_TRUE(world.asked(0).contains(R"("content":"a2")"));
}

TEST(Summary, IsMadeForHalfAWindowAtATime) {
  LongWorld world;
  world.start_worker();
  const auto asked_for_next = [&world] {
    world.accept(world.make_message(5));
    world.clock.run_for(5s);
    world.said.pop_back();
    world.turn();
  };
  asked_for_next();  // of 6 messages 4 fit the window, and 2 more wait to be summarised
  ASSERT_EQ(world.model.inputs.size(), 1u);
  EXPECT_TRUE(world.asked(0).starts_with(R"([{"role":"user","content":"a1"})")) << world.asked(0);
  asked_for_next();
  ASSERT_EQ(world.model.inputs.size(), 3u);
  EXPECT_EQ(world.sessions.summaries["s"].upto, "b2");
  asked_for_next();
  ASSERT_EQ(world.model.inputs.size(), 4u);
  EXPECT_TRUE(world.asked(3).contains(R"("},{"role":"user","content":"a3"})")) << world.asked(3);
}

TEST(Summary, IsNotMadeWhereNobodyAskedForIt) {
  LongWorld world;
  world.start_worker();
  Job job = world.make_message();
  job.context->summarise = false;
  world.accept(job);
  world.clock.run_for(5s);
  ASSERT_EQ(world.model.inputs.size(), 1u);
  EXPECT_FALSE(world.asked(0).contains("system"));
}

TEST(Summary, IsPaidOnceThoughTheTurnIsTriedAgain) {
  LongWorld world;
  world.model.failing = {{99, {}}, {1, {.code = "upstream_cut", .message = "", .retryable = true}}};
  world.start_worker();
  const Job job = world.accept(world.make_message());
  world.clock.run_for(10s);
  EXPECT_EQ(world.outcome(job)->state, JobState::succeeded);
  ASSERT_EQ(world.model.inputs.size(), 3u);
  EXPECT_EQ(world.asked(1), world.asked(2));
}

TEST(Summary, IsPaidOnceThoughItCouldNotBeKeptAtFirst) {
  LongWorld world;
  world.sessions.keep_fails = Errc::unavailable;
  world.start_worker();
  const Job job = world.accept(world.make_message());
  world.clock.run_for(3s);
  EXPECT_EQ(world.model.inputs.size(), 1u);
  world.sessions.keep_fails.reset();
  world.clock.run_for(5s);
  EXPECT_EQ(world.outcome(job)->state, JobState::succeeded);
  EXPECT_EQ(world.model.inputs.size(), 2u);
  EXPECT_EQ(world.sessions.summaries["s"].text, summed);
}

TEST(Summary, AFailureIsTheTurnsAndTriedAgain) {
  LongWorld world;
  world.model.failing = {{1, {.code = "upstream_cut", .message = "", .retryable = true}}};
  world.start_worker();
  const Job job = world.accept(world.make_message());
  world.clock.run_for(10s);
  EXPECT_EQ(world.outcome(job)->state, JobState::succeeded);
  ASSERT_EQ(world.model.inputs.size(), 3u);
  EXPECT_EQ(world.asked(0), world.asked(1));
  world.expect_sound(job);
}

TEST(Summary, WhereTheModelRefusesToMakeItTheMessageIsAnsweredWithout) {
  LongWorld world;
  world.model.failing = {{1, {.code = "upstream_refused", .message = "", .retryable = false}}};
  world.start_worker();
  const Job job = world.accept(world.make_message());
  world.clock.run_for(5s);
  EXPECT_EQ(world.outcome(job)->state, JobState::succeeded);
  ASSERT_EQ(world.model.inputs.size(), 2u);
  EXPECT_TRUE(world.asked(1).starts_with(R"([{"role":"user","content":"a3"})")) << world.asked(1);
  EXPECT_EQ(world.sessions.summaries["s"].text, "");
}

TEST(Summary, ACancelEndsItAtOnce) {
  LongWorld world;
  world.model.hang = true;
  world.start_worker();
  const Job job = world.accept(world.make_message());
  world.clock.run_for(1s);
  ASSERT_EQ(world.model.running, 1);
  world.log.want_cancel(job.id);
  world.clock.run_for(5s);
  EXPECT_EQ(world.model.running, 0);
  EXPECT_EQ(world.outcome(job)->state, JobState::cancelled);
}

}  // namespace
}  // namespace millrace
