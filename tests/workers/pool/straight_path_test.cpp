#include "tests/workers/pool/world.h"
#include "workers/pool/llm_turn.h"

namespace millrace {
namespace {

TEST(Worker, RunsAJobFromItsDeliveryToItsSettlement) {
  World world;
  world.start_worker();
  const Job job = world.accept();
  world.clock.run_for(5s);

  EXPECT_EQ(world.told(job), "queued started delta delta delta done");
  world.expect_sound(job);
  EXPECT_EQ(world.readers_hold(job), "w1 w2 w3 ");
  ASSERT_EQ(world.queue.settled.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<Done>(world.queue.settled[0].verdict));
  ASSERT_EQ(world.queue.results.size(), 1u);
  EXPECT_NE(world.queue.results[0].second.find(R"("status":"succeeded")"), std::string::npos);
}

TEST(Worker, JournalsTheTurnTogetherWithTheOutcome) {
  World world;
  world.start_worker();
  const Job job = world.accept();
  world.clock.run_for(5s);
  ASSERT_EQ(world.store.steps[job.id].size(), 1u);
  const Step& step = world.store.steps[job.id][0];
  EXPECT_EQ(step.kind, "llm_turn");
  EXPECT_NE(step.output.find(R"("text":"w1 w2 w3 ")"), std::string::npos);
  EXPECT_EQ(world.store.finishes, 1u);
}

TEST(Worker, TellsWhoSendsWebhooksOfAnEndThatMadeOne) {
  World world;
  auto& process = world.start_worker();
  world.accept();
  world.clock.run_for(5s);
  EXPECT_EQ(process.webhooks_due, 0);
  Job job = world.make_job();
  job.envelope = R"({"webhook":{"url":"https://a.example/"}})";
  world.accept(job);
  world.clock.run_for(5s);
  EXPECT_EQ(process.webhooks_due, 1);
  world.redeliver(job);
  world.clock.run_for(5s);
  EXPECT_EQ(process.webhooks_due, 1) << "the end stood already";
}

TEST(Worker, RunsManyJobsAtOnceUpToItsLimit) {
  World world;
  world.settings.jobs_in_flight = 10;
  world.start_worker();
  std::vector<Job> jobs;
  for (int i = 0; i < 50; ++i) jobs.push_back(world.accept());
  world.clock.run_for(10s);
  EXPECT_EQ(world.model.most_running, 10);
  for (const Job& job : jobs) world.expect_sound(job);
  EXPECT_EQ(world.queue.settled.size(), 50u);
}

TEST(Worker, ToolCallsAreToldRightBeforeTheEndAndKept) {
  World world;
  world.model.words = 1;
  world.model.tool_calls = {{"c1", "f", R"({"a":1})"}, {"c2", "g", "{}"}};
  world.start_worker();
  const Job job = world.accept();
  world.clock.run_for(5s);
  EXPECT_EQ(world.told(job), "queued started delta tool_call tool_call done");
  world.expect_sound(job);
  ASSERT_TRUE(world.outcome(job));
  EXPECT_EQ(world.outcome(job)->tool_calls, world.model.tool_calls);
  ASSERT_EQ(world.queue.results.size(), 1u);
  EXPECT_NE(world.queue.results[0].second.find(R"("tool_calls":[{"call_id":"c1")"),
            std::string::npos);
}

TEST(Worker, ToolCallsOfAJournaledTurnAreNotAskedForAgain) {
  World world;
  world.model.tool_calls = {{"c1", "f", R"({"a":"한"})"}};
  world.start_worker();
  const Job job = world.accept();
  world.clock.run_for(5s);
  const std::string told = world.log.records[job.id].lines;
  const auto calls = world.outcome(job)->tool_calls;
  // The Store has lost the end, and takes it from the log.
  world.store.jobs[job.id].outcome.reset();
  world.redeliver(job);
  world.clock.run_for(5s);
  ASSERT_TRUE(world.outcome(job));
  EXPECT_EQ(world.outcome(job)->tool_calls, calls);
  EXPECT_EQ(world.log.records[job.id].lines, told);
  EXPECT_EQ(world.model.prefixes.size(), 1u);
}

TEST(Worker, AFinishedTurnIsReadBackWithItsToolCalls) {
  const ChatEnd end{.finish_reason = "tool_calls",
                    .model = "m",
                    .usage = R"({"total_tokens":3})",
                    .tool_calls = {{"c1", "f", R"({"a":"한"})"}}};
  const auto answered = decode_turn(encode_turn(end, "words"));
  ASSERT_TRUE(answered);
  EXPECT_EQ(answered->end.tool_calls, end.tool_calls);
  EXPECT_EQ(answered->text, "words");
}

}  // namespace
}  // namespace millrace
