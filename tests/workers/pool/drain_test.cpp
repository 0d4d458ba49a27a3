#include "tests/workers/pool/world.h"

namespace millrace {
namespace {

TEST(Drain, TakesNothingNewAndFinishesWhatEndsInTime) {
  World world;
  world.model.words = 100;
  auto& process = world.start_worker();
  const Job running = world.accept();
  world.clock.run_for(100ms);
  process.worker->drain();
  world.clock.run_for(1ms);
  const Job late = world.accept();
  world.clock.run_for(5s);
  world.expect_sound(running);
  EXPECT_EQ(world.told(late), "queued");
  EXPECT_EQ(process.tasks->size(), 0u) << "run has returned";
}

TEST(Drain, HandsOverWhatOutlivesTheGraceTimeAndCountsNothing) {
  World world;
  world.settings.llm_continue = LlmContinue::prefill;
  world.model.words = 1000;
  world.model.gap = 100ms;
  auto& first = world.start_worker();
  const Job job = world.accept();
  world.clock.run_for(10s);
  first.worker->drain();
  world.clock.run_for(29s);
  EXPECT_EQ(first.worker->in_hand(), 1u);
  world.clock.run_for(2s);
  EXPECT_EQ(first.tasks->size(), 0u);
  EXPECT_EQ(world.queue.released.size(), 1u);
  EXPECT_EQ(world.log.records[job.id].state, JobState::queued);

  world.settings.name = "worker-b";
  world.start_worker();
  world.clock.run_for(2min);
  world.expect_sound(job);
  EXPECT_EQ(world.log.records[job.id].errors, 0u);
  EXPECT_EQ(world.log.records[job.id].lost_runs, 0u);
  EXPECT_EQ(world.model.words_sent, 1000);
}

TEST(Drain, EndsEvenWhileTheLogIsAway) {
  World world;
  world.model.hang = true;
  auto& process = world.start_worker();
  world.accept();
  world.clock.run_for(1s);
  world.log.away = true;
  process.worker->drain();
  world.clock.run_for(40s);
  EXPECT_EQ(process.tasks->size(), 0u);
}

TEST(Drain, OfAnIdleWorkerReturnsAtOnce) {
  World world;
  auto& process = world.start_worker();
  world.clock.run_for(1s);
  process.worker->drain();
  process.worker->drain();
  world.clock.run_for(0s);
  EXPECT_EQ(process.tasks->size(), 0u);
}

TEST(Drain, AQueueThatClosesEndsTheWorkerAfterItsJobs) {
  World world;
  auto& process = world.start_worker();
  const Job job = world.accept();
  world.queue.close();
  world.clock.run_for(5s);
  world.expect_sound(job);
  EXPECT_EQ(process.tasks->size(), 0u);
}

TEST(Poison, AJobThatLostTwoRunsRunsAloneAndMayStillSucceed) {
  World world;
  world.model.words = 20;
  world.start_worker();
  Job suspect = world.make_job();
  world.log.records[suspect.id].lost_runs = 2;
  std::vector<Job> others;
  for (int i = 0; i < 5; ++i) others.push_back(world.accept());
  world.accept(suspect);
  int beside = 0;
  world.model.on_start = [&] { beside = std::max(beside, world.model.running); };
  world.clock.run_for(100ms);
  for (int i = 0; i < 5; ++i) others.push_back(world.accept());
  bool alone = true;
  world.log.before_append = [&](const AppendRequest& request) {
    if (request.id == suspect.id && world.told(suspect).find("started") != std::string::npos)
      alone = alone && world.model.running <= 1;
  };
  world.clock.run_for(10s);
  EXPECT_TRUE(alone);
  world.expect_sound(suspect);
  EXPECT_EQ(world.outcome(suspect)->state, JobState::succeeded);
  for (const Job& job : others) world.expect_sound(job);
  EXPECT_EQ(world.log.records[suspect.id].lost_runs, 2u) << "waiting for quiet counts nothing";
}

std::size_t count_of(const std::string& text, std::string_view word) {
  std::size_t count = 0;
  for (auto at = text.find(word); at != text.npos; at = text.find(word, at + 1)) ++count;
  return count;
}

TEST(Poison, ThatJobsRunAloneAndOthersWaitIsLoggedOnceAndThatItIsOverToo) {
  World world;
  world.model.words = 20;
  world.start_worker();
  std::vector<Job> suspects;
  for (int i = 0; i < 3; ++i) {
    suspects.push_back(world.make_job());
    world.log.records[suspects.back().id].lost_runs = 2;
    world.accept(suspects.back());
  }
  const Job other = world.accept();
  testing::internal::CaptureStderr();
  world.clock.run_for(20s);
  const std::string said = testing::internal::GetCapturedStderr();
  for (const Job& job : suspects) world.expect_sound(job);
  world.expect_sound(other);
  EXPECT_EQ(count_of(said, R"("event":"suspects_run_alone","jobs":3)"), 1u) << said;
  EXPECT_EQ(count_of(said, "suspects_run_alone"), 1u) << said;
  EXPECT_EQ(count_of(said, R"("event":"suspects_ran_alone","jobs":3)"), 1u) << said;
  EXPECT_LT(said.find("suspects_run_alone"), said.find("suspects_ran_alone"));
}

TEST(Poison, AJobThatKillsThreeWorkersIsDead) {
  World world;
  const Job job = world.accept();
  for (int run = 0; run < 3; ++run) {
    world.model.hang = true;
    auto& process = world.start_worker();
    world.clock.run_for(2s);
    EXPECT_EQ(world.model.running, 1) << run;
    world.kill(process);
    world.redeliver(job, 15s);
    world.clock.run_for(15s);
  }
  world.start_worker();
  world.clock.run_for(10s);
  world.expect_sound(job);
  EXPECT_EQ(world.outcome(job)->error_code, "poison");
  EXPECT_EQ(world.model.prefixes.size(), 3u);
  EXPECT_TRUE(std::holds_alternative<Dead>(world.queue.settled.at(0).verdict));
}

}  // namespace
}  // namespace millrace
