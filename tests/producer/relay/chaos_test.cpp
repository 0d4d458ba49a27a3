#include <gtest/gtest.h>

#include "producer/relay/job_stream.h"
#include "shared/runtime/random.h"
#include "tests/producer/relay/world.h"

// Readers that are cut at random bytes and come back to any edge, a log that is away, forgets
// live messages and cuts its pages: each reader's frames are the log's, byte for byte.
namespace millrace::relay {
namespace {

using namespace test;

const JobId job = job_id(1);

struct Chaos : World {
  explicit Chaos(std::uint64_t seed) : random(seed) {
    store_live(job);
    log.page_events = 1 + pick(6);
    log.round_trip = std::chrono::milliseconds(pick(20));
    log.subscribing = std::chrono::milliseconds(pick(400));
    tasks.start(other_edge.run());
  }
  ~Chaos() {
    for (auto& connection : connections) connection->writer.leave();
    clock.run_for(1s);
    other_edge.stop();
    clock.run_for(0s);
  }

  SeededRandom random;
  Hub other_edge{clock, log, [this](JobId id) { return find(id); }, metrics};
  Seq last = 0;

  std::uint64_t pick(std::uint64_t below) { return random.next() % below; }
  std::chrono::milliseconds while_of(std::uint64_t ms) {
    return std::chrono::milliseconds(pick(ms));
  }

  void write_some() {
    for (auto count = pick(8); count > 0; --count) {
      const std::string text(pick(50) == 0 ? 20'000 : pick(40), 'x');
      delta(job, ++last, text);
    }
  }
};

Task<> write_job(Chaos& world, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    co_await world.clock.sleep_for(world.while_of(200));
    world.write_some();
  }
  world.done(job, ++world.last, "end");
}

Task<> trouble(Chaos& world, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    co_await world.clock.sleep_for(world.while_of(800));
    world.log.drops_live = true;
    co_await world.clock.sleep_for(world.while_of(300));
    world.log.drops_live = false;
    if (world.pick(3) > 0) continue;
    world.log.away = true;
    co_await world.clock.sleep_for(world.while_of(4000));
    world.log.come_back();
  }
}

/// Reads with reconnects until the terminal event; keeps what a program would have seen.
Task<> read_through(Chaos& world, std::string& events) {
  while (events.find("event: done") == std::string::npos) {
    Hub& edge = world.pick(2) == 0 ? world.hub : world.other_edge;
    auto seat = co_await edge.open(job, last_id(events));
    if (seat) {
      FakeWriter writer(world.clock);
      if (world.pick(2) == 0) writer.bytes_max = world.pick(3000);
      writer.pace = world.while_of(30);
      const auto body = job_stream(edge, std::shared_ptr<Seat>(std::move(*seat)), Backlog::events);
      co_await body(writer);
      events += events_of(writer.got);
    }
    co_await world.clock.sleep_for(world.while_of(500));
  }
}

TEST(Chaos, EveryReaderGetsTheLogByteForByteWhateverHappensOnTheWay) {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    Chaos world(seed);
    std::array<std::string, 4> readers;
    world.tasks.start(write_job(world, 40));
    world.tasks.start(trouble(world, 6));
    for (auto& events : readers) world.tasks.start(read_through(world, events));
    world.clock.run_for(120s);
    const auto whole = world.whole_stream(job);
    for (const auto& events : readers) ASSERT_TRUE(events == whole) << "seed " << seed;
  }
}

TEST(Chaos, AfterLossesEveryReaderSeesRisingNumbersAnAnnouncedJumpAndOneEnd) {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    Chaos world(seed);
    std::array<std::string, 3> readers;
    for (auto& events : readers) world.tasks.start(read_through(world, events));
    for (int round = 0; round < 10; ++round) {
      world.write_some();
      world.clock.run_for(world.while_of(500));
    }
    const Seq known = world.last;
    world.log.lose_everything();
    world.clock.run_for(world.while_of(3000));
    world.last = 1'000'000;
    world.gap(job, world.last, known + 1, world.last - 1);
    for (int round = 0; round < 10; ++round) {
      world.write_some();
      world.clock.run_for(world.while_of(500));
    }
    world.done(job, ++world.last, "end");
    world.clock.run_for(120s);
    for (const auto& events : readers) {
      Seq before = 0;
      bool announced = false;
      std::size_t ends = 0;
      for (const auto& frame : frames_of(events)) {
        announced = announced || frame.type == "gap";
        if (!frame.seq) continue;
        ASSERT_TRUE(*frame.seq == before + 1 || announced) << "seed " << seed;
        ASSERT_GT(*frame.seq, before) << "seed " << seed;
        before = *frame.seq;
        announced = false;
        if (terminal_event(frame.type)) ++ends;
      }
      ASSERT_EQ(ends, 1u) << "seed " << seed;
      ASSERT_EQ(before, world.last) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace millrace::relay
