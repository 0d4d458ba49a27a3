#include "tests/workers/pool/world.h"

namespace millrace {
namespace {

/// Kills the only worker `after` a job was accepted, hands the job to another, and waits.
void crash_and_take_over(World& world, const Job& job, Duration after) {
  World::Process& first = world.start_worker();
  world.clock.run_for(after);
  world.kill(first);
  if (world.queue.settled.empty()) world.redeliver(job);
  world.settings.name = "worker-b";
  world.start_worker();
  world.clock.run_for(60s);
}

TEST(Crash, AtAnyInstantTheJobEndsOnceAndReadersHoldTheAnswer) {
  for (const auto mode : {LlmContinue::rewind, LlmContinue::prefill}) {
    for (Duration after = 0us; after < 40ms; after += 50us) {
      World world;
      world.settings.llm_continue = mode;
      const Job job = world.accept();
      crash_and_take_over(world, job, after);
      SCOPED_TRACE(std::chrono::duration_cast<std::chrono::microseconds>(after).count());
      world.expect_sound(job);
      EXPECT_EQ(world.readers_hold(job), "w1 w2 w3 ");
      EXPECT_GE(world.queue.results.size(), 1u);
      ASSERT_GE(world.queue.settled.size(), 1u);
      if (::testing::Test::HasFailure()) return;
    }
  }
}

TEST(Crash, WithPrefillOnlyTheWordsNobodyHasReadAreAskedForAgain) {
  World world;
  world.settings.llm_continue = LlmContinue::prefill;
  world.model.words = 1000;
  const Job job = world.accept();
  crash_and_take_over(world, job, 5s);
  world.expect_sound(job);
  EXPECT_EQ(world.readers_hold(job), fake::Model::text(1000));
  EXPECT_LE(world.model.words_sent, 1001);
  EXPECT_EQ(world.model.prefixes.size(), 2u);
}

TEST(Crash, WithRewindTheNumbersStillRiseWithoutAGap) {
  World world;
  world.model.words = 1000;
  const Job job = world.accept();
  crash_and_take_over(world, job, 5s);
  world.expect_sound(job);
  EXPECT_EQ(world.readers_hold(job), fake::Model::text(1000));
}

TEST(Crash, TogetherWithTheLogTheJobStillEndsOnce) {
  for (Duration after = 0us; after < 40ms; after += 500us) {
    World world;
    const Job job = world.accept();
    World::Process& first = world.start_worker();
    world.clock.run_for(after);
    world.kill(first);
    world.log.lose_all();
    if (world.queue.settled.empty()) world.redeliver(job);
    world.start_worker();
    world.clock.run_for(60s);
    ASSERT_TRUE(world.outcome(job));
    EXPECT_EQ(world.outcome(job)->text, "w1 w2 w3 ");
    if (!world.log.records.empty()) world.expect_sound(job);
  }
}

TEST(Crash, TogetherWithTheTailOfTheLogOnlyThatIsAskedForAgain) {
  World world;
  world.settings.llm_continue = LlmContinue::prefill;
  world.model.words = 100;
  const Job job = world.accept();
  World::Process& first = world.start_worker();
  world.clock.run_for(500ms);
  world.kill(first);
  auto& record = world.log.records[job.id];  // a server that restarted from a file an instant old
  const std::string held = world.readers_hold(job);
  for (int i = 0; i < 10; ++i) {
    record.lines.erase(record.lines.rfind('\n', record.lines.size() - 2) + 1);
    --record.last;
  }
  record.lost_tail = true;
  ASSERT_GT(held.size(), world.readers_hold(job).size());
  world.redeliver(job);
  world.start_worker();
  world.clock.run_for(60s);
  world.expect_sound(job);
  EXPECT_EQ(world.readers_hold(job), fake::Model::text(100));
  EXPECT_LE(world.model.words_sent, 112);
  EXPECT_NE(world.told(job).find("gap snapshot started"), std::string::npos) << world.told(job);
}

TEST(Crash, EveryCallMayFailOnceInEitherWay) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    World world;
    SeededRandom chance(seed);
    world.settings.llm_continue = seed % 2 ? LlmContinue::prefill : LlmContinue::rewind;
    const auto plan = [&](fake::Faults& faults) {
      for (int i = 0; i < 6; ++i)
        faults.next(chance.unit() < 0.6   ? fake::Fault::none
                    : chance.unit() < 0.5 ? fake::Fault::refused
                                          : fake::Fault::answer_lost);
    };
    plan(world.log.append_faults);
    plan(world.log.begin_faults);
    plan(world.store.finish_faults);
    plan(world.store.begin_faults);
    plan(world.queue.settle_faults);
    const Job job = world.accept();
    world.start_worker();
    world.clock.run_for(5min);
    SCOPED_TRACE(seed);
    world.expect_sound(job);
    EXPECT_EQ(world.readers_hold(job), "w1 w2 w3 ");
    EXPECT_EQ(world.queue.settled.size(), 1u);
    if (::testing::Test::HasFailure()) return;
  }
}

/// A process with a clock of its own, which can stand still: what SIGSTOP does.
struct StoppableProcess {
  asio::io_context loop{1};
  VirtualClock clock{loop};
  SeededRandom random{99};
  fake::Log log;
  fake::TheStore store;
  FakeSessions sessions{clock};
  fake::Queue queue{clock};
  fake::Model model{clock};
  FakeObjects objects{clock};
  LargeInputs inputs{objects, clock};
  QuietRoom room;
  WorkerCounts counts;
  Worker worker;
  Nursery tasks{clock};

  explicit StoppableProcess(World& world)
      : log(clock, world.log),
        store(clock, world.store),
        worker({queue,
                log,
                store,
                sessions,
                model,
                inputs,
                clock,
                random,
                room,
                counts,
                {.name = "zombie"}}) {
    tasks.start(worker.run());
  }
  ~StoppableProcess() {
    tasks.stop();
    clock.run_for(0s);
  }
};

TEST(Zombie, StoppedAtAnyInstantPastItsLeaseLeavesNoTrace) {
  for (Duration after = 0us; after < 60ms; after += 250us) {
    World world;
    world.model.words = 5;
    StoppableProcess zombie(world);
    zombie.model.words = 5;
    const Job job = world.make_job();
    world.log.records[job.id].last = 1;
    EventWriter(job.id, job.created_at)
        .queued(world.log.records[job.id].lines, {1, world.clock.wall()}, -1, -1);
    Delivery delivery;
    delivery.job = job;
    zombie.queue.add(delivery);
    zombie.clock.run_for(after);  // and now it stands still

    delivery.redelivered = true;
    world.queue.add(delivery);
    world.start_worker();
    world.clock.run_for(60s);
    const std::string told = world.log.records[job.id].lines;
    SCOPED_TRACE(std::chrono::duration_cast<std::chrono::microseconds>(after).count());
    world.expect_sound(job);

    zombie.clock.run_for(120s);  // it goes on, and finds the world changed
    EXPECT_EQ(world.log.records[job.id].lines, told);
    world.expect_sound(job);
    EXPECT_EQ(zombie.queue.settled.size(), 1u) << "its delivery ends as the job did";
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace millrace
