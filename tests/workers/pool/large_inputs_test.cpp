#include "workers/pool/large_inputs.h"

#include "tests/workers/pool/world.h"

namespace millrace {
namespace {

struct LargeInputWorld : World {
  /// A job whose input of that size an edge has kept.
  Job make_large(std::size_t size, char letter = 'x') {
    Job job = make_job();
    const std::string input = '"' + std::string(size - 2, letter) + '"';
    job.input.clear();
    job.input_ref = InputRef{"inputs/" + job.id.str(), input.size(), fingerprint(input)};
    objects.kept[{job.tenant, job.input_ref->key}] = {
        {job.input_ref->key, input.size(), fingerprint(input), {}, {}}, input};
    return job;
  }
  FakeObjects::Kept& object_of(const Job& job) {
    return objects.kept.at({job.tenant, job.input_ref->key});
  }
  void expect_failed(const Job& job, std::string_view code) {
    expect_sound(job);
    EXPECT_EQ(outcome(job)->state, JobState::failed);
    EXPECT_EQ(outcome(job)->error_code, code);
    EXPECT_FALSE(outcome(job)->retryable);
    EXPECT_TRUE(model.prefixes.empty());
    ASSERT_EQ(queue.settled.size(), 1U);
    EXPECT_TRUE(std::holds_alternative<Dead>(queue.settled.front().verdict));
  }
};

TEST(LargeInputs, ReachTheModelWhole) {
  LargeInputWorld world;
  world.start_worker();
  const Job job = world.accept(world.make_large(1'000'000));
  world.clock.run_for(5s);
  world.expect_sound(job);
  ASSERT_EQ(world.model.inputs.size(), 1U);
  EXPECT_EQ(fingerprint(world.model.inputs.front()), job.input_ref->sha256);
  EXPECT_EQ(world.outcome(job)->state, JobState::succeeded);
}

TEST(LargeInputs, ThatAreMissingFailTheirJob) {
  LargeInputWorld world;
  world.start_worker();
  const Job job = world.make_large(300'000);
  world.objects.kept.clear();
  world.accept(job);
  world.clock.run_for(5s);
  world.expect_failed(job, "input_missing");
}

TEST(LargeInputs, OfAnotherTenantAreMissing) {
  LargeInputWorld world;
  world.start_worker();
  const Job theirs = world.make_large(300'000);
  Job job = world.make_job();
  job.tenant = "another";
  job.input_ref = theirs.input_ref;
  world.accept(job);
  world.clock.run_for(5s);
  world.expect_failed(job, "input_missing");
}

TEST(LargeInputs, ThatAreNotWhatWasAcceptedFailTheirJob) {
  const std::vector<void (*)(FakeObjects::Kept&)> changes{
      [](auto& kept) { kept.info.sha256 = fingerprint("other"); },
      [](auto& kept) { kept.bytes += "more"; },
      [](auto& kept) {
        kept.bytes.pop_back();
        --kept.info.size;
      }};
  for (const auto change : changes) {
    LargeInputWorld world;
    world.start_worker();
    const Job job = world.make_large(300'000);
    change(world.object_of(job));
    world.accept(job);
    world.clock.run_for(5s);
    world.expect_failed(job, "input_corrupt");
  }
}

TEST(LargeInputs, AreWaitedForWhileTheObjectsAreAway) {
  LargeInputWorld world;
  world.start_worker();
  world.objects.fails = Errc::unavailable;
  const Job job = world.accept(world.make_large(300'000));
  world.clock.run_for(5min);
  EXPECT_FALSE(world.outcome(job));
  world.objects.fails.reset();
  world.clock.run_for(5s);
  world.expect_sound(job);
  EXPECT_EQ(world.outcome(job)->state, JobState::succeeded);
  EXPECT_EQ(world.told(job), "queued started delta delta delta done");
}

TEST(LargeInputs, DoNotHoldUpACancel) {
  LargeInputWorld world;
  world.start_worker();
  world.objects.fails = Errc::unavailable;
  const Job job = world.accept(world.make_large(300'000));
  world.clock.run_for(10s);
  world.log.want_cancel(job.id);
  world.clock.run_for(1s);
  world.expect_sound(job);
  EXPECT_EQ(world.outcome(job)->state, JobState::cancelled);
}

TEST(LargeInputs, OfAFinishedTurnAreNotFetchedAgain) {
  LargeInputWorld world;
  world.start_worker();
  const Job job = world.accept(world.make_large(300'000));
  world.clock.run_for(5s);
  Job same = world.make_job();
  same.input_ref = job.input_ref;
  world.store.steps[same.id] = {world.store.steps[job.id].at(0)};
  world.objects.kept.clear();
  world.accept(same);
  world.clock.run_for(5s);
  world.expect_sound(same);
  EXPECT_EQ(world.outcome(same)->state, JobState::succeeded);
  EXPECT_EQ(world.objects.gets, 1U);
}

TEST(LargeInputs, TakeTurnsWhenTheyWouldFillTheMemory) {
  LargeInputWorld world;
  world.model.hang = true;
  world.start_worker();
  constexpr auto size = limits::body_bytes_max;
  constexpr auto fit = limits::large_inputs_bytes_max / size;
  std::vector<Job> jobs;
  for (std::size_t i = 0; i < fit + 2; ++i) jobs.push_back(world.accept(world.make_large(size)));
  const Job small = world.accept();
  world.clock.run_for(5s);
  EXPECT_EQ(world.model.prefixes.size(), fit + 1) << "and the one without a large input";
  world.log.want_cancel(jobs.front().id);
  world.clock.run_for(2s);
  EXPECT_EQ(world.model.prefixes.size(), fit + 2);
  for (const auto& job : jobs) world.log.want_cancel(job.id);
  world.clock.run_for(5s);
  for (const auto& job : jobs) EXPECT_EQ(world.outcome(job)->state, JobState::cancelled);
}

}  // namespace
}  // namespace millrace
