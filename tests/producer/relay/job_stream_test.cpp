#include "producer/relay/job_stream.h"

#include <gtest/gtest.h>

#include "tests/producer/relay/world.h"

namespace millrace::relay {
namespace {

using namespace test;

const JobId job = job_id(1);

/// A connection to one job, opened as the route does.
Connection& read_job(World& world, Seq after, Backlog backlog = Backlog::events,
                     const JobId& id = job) {
  auto seat = world.result_of(world.hub.open(id, after));
  EXPECT_TRUE(seat);
  return world.connect(job_stream(world.hub, std::shared_ptr(std::move(*seat)), backlog));
}

Task<> delta_after(World& world, Duration time, Seq seq) {
  co_await world.clock.sleep_for(time);
  world.delta(job, seq, "late");
}

TEST(JobStream, ReplaysThenGoesLiveThenEndsAfterTheTerminalEvent) {
  World world;
  world.delta(job, 1, "a");
  world.delta(job, 2, "b");
  auto& reader = read_job(world, 0);
  world.clock.run_for(10ms);
  EXPECT_EQ(seqs_of(reader.writer.got), (std::vector<Seq>{1, 2}));
  world.delta(job, 3, "c");
  world.clock.run_for(10ms);
  EXPECT_FALSE(reader.ended);
  world.done(job, 4, "abc");
  world.clock.run_for(10ms);
  EXPECT_TRUE(reader.ended);
  EXPECT_EQ(events_of(reader.writer.got), world.whole_stream(job));
}

TEST(JobStream, SaysRetryInsideTheFirstEventOnly) {
  World world;
  world.delta(job, 1, "a");
  auto& reader = read_job(world, 0);
  world.clock.run_for(10ms);
  world.delta(job, 2, "b");
  world.clock.run_for(10ms);
  EXPECT_TRUE(reader.writer.got.starts_with("retry: 1000\nevent: delta\n"));
  EXPECT_EQ(count_of(reader.writer.got, "retry:"), 1u);
}

TEST(JobStream, SendsAHeartbeatAfterEach15SecondsOfSilence) {
  World world;
  world.delta(job, 1, "a");
  auto& reader = read_job(world, 0);
  world.clock.run_for(14s);
  EXPECT_EQ(count_of(reader.writer.got, "\n:\n\n"), 0u);
  world.delta(job, 2, "b");
  world.clock.run_for(14s);
  EXPECT_EQ(count_of(reader.writer.got, "\n:\n\n"), 0u);
  world.clock.run_for(32s);
  EXPECT_EQ(count_of(reader.writer.got, "\n:\n\n"), 3u);
}

TEST(JobStream, EventsThatPileUpLeaveInOneWrite) {
  World world;
  world.delta(job, 1, "a");
  auto& reader = read_job(world, 0);
  world.clock.run_for(10ms);
  const int before = reader.writer.writes;
  for (Seq seq = 2; seq <= 21; ++seq) world.delta(job, seq, "b");
  world.clock.run_for(10ms);
  EXPECT_LE(reader.writer.writes, before + 4);  // blocks of the tail, not events
  EXPECT_EQ(events_of(reader.writer.got), world.whole_stream(job));
}

TEST(JobStream, ResumesAfterEveryEventByteForByte) {
  World world;
  for (Seq seq = 1; seq <= 9; ++seq) world.delta(job, seq, "token");
  world.done(job, 10, "tokens");
  for (Seq after = 0; after < 10; ++after) {
    auto& reader = read_job(world, after);
    world.clock.run_for(20ms);
    EXPECT_TRUE(reader.ended);
    EXPECT_EQ(events_of(reader.writer.got), world.whole_stream(job, after));
  }
}

TEST(JobStream, CutAtAnyByteAndResumedWithTheLastIdNothingIsLostOrRepeated) {
  World world;
  world.log.page_events = 3;
  for (Seq seq = 1; seq <= 7; ++seq) world.delta(job, seq, "t\u00f6ken");
  world.done(job, 8, "tokens");
  const auto whole = world.whole_stream(job);
  for (std::size_t cut = 1; cut < whole.size() + retry_line.size(); ++cut) {
    auto& first = read_job(world, 0);
    first.writer.bytes_max = cut;
    world.clock.run_for(20ms);
    auto events = events_of(first.writer.got);
    if (last_id(events) < 8) {
      auto& second = read_job(world, last_id(events));
      world.clock.run_for(20ms);
      EXPECT_TRUE(second.ended);
      events += events_of(second.writer.got);
    }
    ASSERT_EQ(events, whole) << cut;
    world.connections.clear();
  }
}

TEST(JobStream, ALostLiveMessageIsReadFromTheLogWhenTheNextOneArrives) {
  World world;
  world.delta(job, 1, "a");
  auto& reader = read_job(world, 0);
  world.clock.run_for(10ms);
  world.log.drops_live = true;
  world.delta(job, 2, "b");
  world.delta(job, 3, "c");
  world.log.drops_live = false;
  world.clock.run_for(10ms);
  EXPECT_EQ(seqs_of(reader.writer.got), (std::vector<Seq>{1}));
  world.delta(job, 4, "d");
  world.clock.run_for(10ms);
  EXPECT_EQ(seqs_of(reader.writer.got), (std::vector<Seq>{1, 2, 3, 4}));
}

TEST(JobStream, ALostLastMessageIsFoundByTheSilenceCheckInOneBatchForAllJobs) {
  World world;
  std::vector<Connection*> readers;
  for (int i = 1; i <= 5; ++i) {
    world.delta(job_id(i), 1, "a");
    readers.push_back(&read_job(world, 0, Backlog::events, job_id(i)));
  }
  world.clock.run_for(10ms);
  world.log.drops_live = true;
  for (int i = 1; i <= 5; ++i) world.done(job_id(i), 2, "a");
  world.clock.run_for(14s);
  EXPECT_FALSE(readers[0]->ended);
  EXPECT_EQ(world.log.state_calls, 0);
  world.clock.run_for(3s);
  for (auto* reader : readers) EXPECT_TRUE(reader->ended);
  EXPECT_EQ(world.log.state_calls, 1);
  EXPECT_EQ(world.log.states_asked, 5u);
}

TEST(JobStream, WaitsForTheSubscriptionBeforeItReadsTheBacklog) {
  World world;
  world.log.subscribing = 50ms;
  world.log.round_trip = 0ms;
  world.delta(job, 1, "a");
  world.tasks.start(delta_after(world, 20ms, 2));  // before the subscription stands
  auto& reader = read_job(world, 0);
  world.clock.run_for(100ms);
  EXPECT_EQ(seqs_of(reader.writer.got), (std::vector<Seq>{1, 2}));
  EXPECT_EQ(world.log.reads, 1);
}

TEST(JobStream, ASubscriptionThatTakesLongDoesNotHoldBackTheBacklog) {
  World world;
  world.log.subscribing = 5s;
  world.delta(job, 1, "a");
  auto& reader = read_job(world, 0);
  world.clock.run_for(300ms);
  EXPECT_EQ(seqs_of(reader.writer.got), (std::vector<Seq>{1}));
  world.delta(job, 2, "b");  // nobody hears it
  world.clock.run_for(5s);
  EXPECT_EQ(seqs_of(reader.writer.got), (std::vector<Seq>{1, 2}));
}

TEST(JobStream, AnUncertaintyThatArisesDuringAReadIsNotForgotten) {
  World world;
  world.log.subscribing = 270ms;
  world.log.round_trip = 100ms;  // the read goes out at 200 ms and sees the log at 250 ms
  world.delta(job, 1, "a");
  world.tasks.start(delta_after(world, 260ms, 2));  // heard by nobody
  auto& reader = read_job(world, 0);
  world.clock.run_for(1s);
  EXPECT_EQ(seqs_of(reader.writer.got), (std::vector<Seq>{1, 2}));
}

TEST(JobStream, ATailThatMovesOnDuringAReadIsNotTakenForALoss) {
  World world;
  world.log.round_trip = 40ms;
  world.delta(job, 1, "a");
  auto& reader = read_job(world, 0);
  world.clock.run_for(100ms);
  reader.writer.pace = 30ms;
  const std::string text(2000, 'x');
  for (Seq seq = 2; seq <= 400; ++seq) {
    world.delta(job, seq, text);
    world.clock.run_for(1ms);
  }
  world.done(job, 401, "end");
  world.clock.run_for(60s);
  EXPECT_TRUE(events_of(reader.writer.got) == world.whole_stream(job));
}

TEST(JobStream, WhileTheLogIsAwayReadersAreKeptAndLoseNothing) {
  World world;
  world.delta(job, 1, "a");
  auto& reader = read_job(world, 0);
  world.clock.run_for(10ms);
  world.log.away = true;
  world.delta(job, 2, "b");
  world.clock.run_for(40s);
  EXPECT_FALSE(reader.ended);
  EXPECT_EQ(count_of(reader.writer.got, "\n:\n\n"), 2u);
  world.done(job, 3, "ab");
  world.log.come_back();
  world.clock.run_for(10ms);
  EXPECT_TRUE(reader.ended);
  EXPECT_EQ(events_of(reader.writer.got), world.whole_stream(job));
}

TEST(JobStream, AReadThatFailedIsTriedAgainWithinTwoSeconds) {
  World world;
  world.store_live(job);
  world.log.reads_fail = true;
  world.delta(job, 1, "a");
  auto& reader = read_job(world, 0);
  world.clock.run_for(5s);
  world.log.reads_fail = false;
  world.clock.run_for(2s);
  EXPECT_EQ(seqs_of(reader.writer.got), (std::vector<Seq>{1}));
}

TEST(JobStream, TheHoldersGapAfterALossIsPassedOnOnce) {
  World world;
  for (Seq seq = 1; seq <= 3; ++seq) world.delta(job, seq, "a");
  auto& reader = read_job(world, 0);
  world.clock.run_for(10ms);
  world.log.lose_everything();
  world.gap(job, 5001, 4, 5000);
  world.delta(job, 5002, "b");
  world.done(job, 5003, "aaab");
  world.clock.run_for(10ms);
  EXPECT_TRUE(reader.ended);
  EXPECT_EQ(seqs_of(reader.writer.got), (std::vector<Seq>{1, 2, 3, 5001, 5002, 5003}));
}

TEST(JobStream, ALogThatLostItsEndRepeatsNothingToAReaderWhoIsAhead) {
  World world;
  for (Seq seq = 1; seq <= 3; ++seq) world.delta(job, seq, "a");
  auto& reader = read_job(world, 5);  // the reader saw 5; the log was restored without 4 and 5
  world.clock.run_for(10ms);
  EXPECT_TRUE(seqs_of(reader.writer.got).empty());
  world.gap(job, 5001, 6, 5000);
  world.done(job, 5002, "b");
  world.clock.run_for(10ms);
  EXPECT_EQ(seqs_of(reader.writer.got), (std::vector<Seq>{5001, 5002}));
  EXPECT_TRUE(reader.ended);
}

TEST(JobStream, WhenTheLogHasGoneTheStoredResultIsServedAfterAGap) {
  World world;
  world.store_done(job, "the answer");
  auto& reader = read_job(world, 3);
  world.clock.run_for(100ms);
  EXPECT_TRUE(reader.ended);
  const auto events = events_of(reader.writer.got);
  const auto frames = frames_of(events);
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[0].type, "gap");
  EXPECT_EQ(frames[0].seq, std::nullopt);
  EXPECT_NE(frames[0].whole.find(R"("from":4,"to":9007199254740990)"), std::string_view::npos);
  EXPECT_EQ(frames[1].type, "done");
  EXPECT_EQ(frames[1].seq, last_seq_possible);
  EXPECT_NE(frames[1].whole.find("the answer"), std::string_view::npos);
}

TEST(JobStream, EveryReaderOfAGoneLogGetsTheSameEndWhateverItsPlace) {
  World world;
  world.store_done(job, "the answer");
  auto& early = read_job(world, 0);
  auto& late = read_job(world, 700);
  world.clock.run_for(100ms);
  EXPECT_EQ(seqs_of(early.writer.got), (std::vector<Seq>{0, last_seq_possible}));
  EXPECT_EQ(seqs_of(late.writer.got), (std::vector<Seq>{0, last_seq_possible}));
}

TEST(JobStream, ALogThatGoesUnderALiveReaderEndsWithTheStoredResult) {
  World world;
  world.delta(job, 1, "a");
  world.store_live(job);
  auto& reader = read_job(world, 0);
  world.clock.run_for(10ms);
  world.log.lose_everything();
  world.clock.run_for(20s);
  EXPECT_FALSE(reader.ended);  // the job runs on: its holder will write again
  world.store_done(job, "answer");
  world.clock.run_for(20s);
  EXPECT_TRUE(reader.ended);
  EXPECT_EQ(seqs_of(reader.writer.got), (std::vector<Seq>{1, 0, last_seq_possible}));
}

TEST(JobStream, AJobWhoseLogIsGoneButThatStillRunsIsFollowedWhenItWritesAgain) {
  World world;
  world.store_live(job);
  auto& reader = read_job(world, 7);
  world.clock.run_for(1s);
  world.gap(job, 5001, 1, 5000);
  world.done(job, 5002, "x");
  world.clock.run_for(1s);
  EXPECT_TRUE(reader.ended);
  EXPECT_EQ(seqs_of(reader.writer.got), (std::vector<Seq>{5001, 5002}));
}

TEST(JobStream, AnEndedJobThatRunsInTheLogWithoutALeaseEndsByTheStore) {
  World world;
  world.delta(job, 1, "a");
  world.store_done(job, "answer");
  auto& reader = read_job(world, 0);
  world.clock.run_for(20s);
  EXPECT_TRUE(reader.ended);
  EXPECT_EQ(seqs_of(reader.writer.got), (std::vector<Seq>{1, 0, last_seq_possible}));
}

TEST(JobStream, AJobTakenOverAndEndedWhileTheStoreIsAskedEndsByItsLogWithoutAGap) {
  World world;
  world.delta(job, 1, "a");
  world.store_done(job, "answer");
  world.when_found = [&world] { world.log.records[job].held = true; };
  auto& reader = read_job(world, 0);
  world.clock.run_for(20s);
  EXPECT_FALSE(reader.ended);
  world.done(job, 2, "answer");
  world.clock.run_for(10ms);
  EXPECT_TRUE(reader.ended);
  EXPECT_EQ(seqs_of(reader.writer.got), (std::vector<Seq>{1, 2}));
}

TEST(JobStream, OnDrainWhatIsPendingIsSentAndTheResponseEnds) {
  World world;
  world.delta(job, 1, "a");
  auto& reader = read_job(world, 0);
  world.clock.run_for(10ms);
  world.delta(job, 2, "b");
  reader.writer.drain();
  world.clock.run_for(10ms);
  EXPECT_TRUE(reader.ended);
  EXPECT_EQ(seqs_of(reader.writer.got), (std::vector<Seq>{1, 2}));
}

TEST(JobStream, AReaderThatLeavesIsForgottenAndTheJobUnwatchedAMomentLater) {
  World world;
  world.delta(job, 1, "a");
  auto& reader = read_job(world, 0);
  world.clock.run_for(10ms);
  EXPECT_EQ(world.metrics.connections, 1);
  EXPECT_EQ(world.metrics.jobs_watched, 1);
  reader.writer.leave();
  world.clock.run_for(10ms);
  EXPECT_TRUE(reader.ended);
  EXPECT_EQ(world.metrics.connections, 0);
  EXPECT_EQ(world.log.watches, 1);
  world.clock.run_for(5s);
  EXPECT_EQ(world.log.watches, 0);
  EXPECT_EQ(world.metrics.jobs_watched, 0);
}

TEST(JobStream, ManyReadersOfAJobCostOneWatchAndOneRead) {
  World world;
  for (Seq seq = 1; seq <= 20; ++seq) world.delta(job, seq, "a");
  std::vector<Connection*> readers;
  for (int i = 0; i < 50; ++i) readers.push_back(&read_job(world, i % 20 == 0 ? 0 : i % 20));
  world.clock.run_for(10ms);
  EXPECT_EQ(world.log.watches, 1);
  world.done(job, 21, "b");
  world.clock.run_for(10ms);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(events_of(readers[i]->writer.got), world.whole_stream(job, i % 20)) << i;
  }
  EXPECT_EQ(world.log.reads, 1);
}

TEST(JobStream, ReadersOfALongBacklogShareTheirReads) {
  World world;
  world.log.page_events = 10;
  for (Seq seq = 1; seq <= 100; ++seq) world.delta(job, seq, "a");
  auto& first = read_job(world, 0);
  world.clock.run_for(1s);
  const int alone = world.log.reads;
  std::vector<std::shared_ptr<Seat>> seats;
  std::vector<Connection*> readers;
  for (int i = 0; i < 20; ++i) {
    readers.push_back(&world.connect(
        job_stream(world.hub, std::shared_ptr(world.hub.sit(job, 0)), Backlog::events)));
  }
  world.clock.run_for(1s);
  EXPECT_LE(world.log.reads, 2 * alone);
  for (auto* reader : readers) EXPECT_EQ(reader->writer.got, first.writer.got);
  EXPECT_EQ(events_of(first.writer.got), world.whole_stream(job));
}

TEST(JobStream, ASlowReaderFallsBehindTheTailAndReadsOnFromTheLog) {
  World world;
  world.delta(job, 1, "a");
  auto& slow = read_job(world, 0);
  slow.writer.pace = 50ms;
  world.clock.run_for(100ms);
  const std::string text(1000, 'x');
  for (Seq seq = 2; seq <= 500; ++seq) {
    world.delta(job, seq, text);
    world.clock.run_for(1ms);
  }
  world.done(job, 501, "end");
  world.clock.run_for(60s);
  EXPECT_TRUE(slow.ended);
  EXPECT_EQ(events_of(slow.writer.got), world.whole_stream(job));
  EXPECT_GT(world.log.reads, 1);
  EXPECT_EQ(world.metrics.readers_cut, 0u);
}

TEST(JobStream, AReaderTooFarBehindIsCutAndComesBackToItsPlace) {
  World world;
  world.delta(job, 1, "a");
  auto& slow = read_job(world, 0);
  world.clock.run_for(10ms);
  slow.writer.stalled = true;
  const std::string text(1000, 'x');
  for (Seq seq = 2; seq <= 1500; ++seq) {
    world.delta(job, seq, text);
    world.clock.run_for(1ms);
  }
  slow.writer.stalled = false;
  world.clock.run_for(1s);
  EXPECT_TRUE(slow.ended);
  EXPECT_EQ(world.metrics.readers_cut, 1u);
  world.done(job, 1501, "end");
  auto events = events_of(slow.writer.got);
  auto& again = read_job(world, last_id(events));
  world.clock.run_for(1s);
  EXPECT_TRUE(again.ended);
  EXPECT_EQ(events + events_of(again.writer.got), world.whole_stream(job));
}

TEST(JobStream, AReaderThatNeverReadsIsCutAfterTheStallTime) {
  World world;
  world.delta(job, 1, "a");
  auto& dead = read_job(world, 0);
  world.clock.run_for(10ms);
  dead.writer.stalled = true;
  world.delta(job, 2, "b");
  world.clock.run_for(limits::reader_stall_max + 1s);
  EXPECT_TRUE(dead.ended);
  EXPECT_EQ(world.metrics.readers_cut, 1u);
}

TEST(JobStream, ALongReplayIsNotMistakenForASlowReader) {
  World world;
  const std::string text(10'000, 'x');
  for (Seq seq = 1; seq <= 300; ++seq) world.delta(job, seq, text);
  world.log.page_events = 20;
  auto& reader = read_job(world, 0);
  world.clock.run_for(1s);
  world.done(job, 301, "end");
  world.clock.run_for(1s);
  EXPECT_TRUE(reader.ended);
  EXPECT_EQ(world.metrics.readers_cut, 0u);
  EXPECT_TRUE(events_of(reader.writer.got) == world.whole_stream(job));
}

TEST(JobStream, ASnapshotStandsForTheDeltasAndHasNoId) {
  World world;
  world.status(job, 1, "thinking");
  world.delta(job, 2, "wrong");
  world.rewind(job, 3, 1);
  world.delta(job, 4, "ri");
  world.delta(job, 5, "ght");
  auto& reader = read_job(world, 0, Backlog::snapshot);
  world.clock.run_for(10ms);
  world.delta(job, 6, "!");
  world.done(job, 7, "right!");
  world.clock.run_for(10ms);
  EXPECT_TRUE(reader.ended);
  EXPECT_EQ(seqs_of(reader.writer.got), (std::vector<Seq>{1, 0, 6, 7}));
  EXPECT_NE(reader.writer.got.find(R"("type":"snapshot","text":"right","upto":5)"),
            std::string::npos);
}

TEST(JobStream, ASnapshotOfAnEndedJobDoesNotCoverTheTerminalEventBehindIt) {
  World world;
  world.log.page_events = 2;
  for (Seq seq = 1; seq <= 5; ++seq) world.delta(job, seq, "a");
  world.done(job, 6, "aaaaa");
  auto& reader = read_job(world, 3, Backlog::snapshot);
  world.clock.run_for(100ms);
  EXPECT_TRUE(reader.ended);
  EXPECT_EQ(seqs_of(reader.writer.got), (std::vector<Seq>{0, 6}));
  EXPECT_NE(reader.writer.got.find(R"("text":"aaaaa","upto":5)"), std::string::npos);
}

TEST(JobStream, ASnapshotOfAGoneLogIsTheStoredResult) {
  World world;
  world.store_done(job, "answer");
  auto& reader = read_job(world, 0, Backlog::snapshot);
  world.clock.run_for(100ms);
  EXPECT_EQ(seqs_of(reader.writer.got), (std::vector<Seq>{0, last_seq_possible}));
}

TEST(JobStream, WhenTheLogHasGoneWhatASnapshotMayHaveSaidIsNotSaidAgain) {
  World world;
  world.store_live(job);
  world.status(job, 1, "thinking");
  world.delta(job, 2, "a");
  world.delta(job, 3, "b");
  read_job(world, 0);  // keeps the tail
  world.clock.run_for(10ms);
  world.log.lose_everything();
  auto& reader = read_job(world, 1, Backlog::snapshot);
  world.clock.run_for(10ms);
  EXPECT_NE(reader.writer.got.find(R"("from":2,"to":3)"), std::string::npos);
  world.done(job, 4, "ab");
  world.clock.run_for(10ms);
  EXPECT_TRUE(reader.ended);
  EXPECT_EQ(seqs_of(reader.writer.got), (std::vector<Seq>{0, 4}));
}

TEST(JobStream, ALogThatVanishesInMidReplayIsAnnouncedAndEndsWithTheStoredResult) {
  World world;
  world.log.page_events = 4;
  for (Seq seq = 1; seq <= 40; ++seq) world.delta(job, seq, "a");
  world.done(job, 41, "answer");
  world.store_done(job, "answer");
  auto& reader = read_job(world, 0);
  reader.writer.pace = 100ms;
  world.clock.run_for(250ms);
  world.log.lose_everything();
  world.clock.run_for(5s);
  EXPECT_TRUE(reader.ended);
  const auto seqs = seqs_of(reader.writer.got);
  ASSERT_GT(seqs.size(), 4u);
  EXPECT_EQ(seqs[seqs.size() - 2], 0u);
  EXPECT_EQ(seqs.back(), last_seq_possible);
}

TEST(JobStream, AStreamOfAJobJustAcceptedBeginsWhenTheLogKnowsIt) {
  World world;
  world.log.away = true;
  auto& reader = world.connect(new_job_stream(world.hub, job, 0));
  world.clock.run_for(20s);
  EXPECT_FALSE(reader.ended);
  EXPECT_EQ(count_of(reader.writer.got, ":\n\n"), 1u);
  world.log.come_back();
  world.delta(job, 1, "a");
  world.done(job, 2, "a");
  world.clock.run_for(3s);
  EXPECT_TRUE(reader.ended);
  EXPECT_EQ(events_of(reader.writer.got), world.whole_stream(job));
}

TEST(JobStream, WaitForEndTellsWhetherTheJobEndedInTime) {
  World world;
  world.delta(job, 1, "a");
  EXPECT_FALSE(world.result_of(world.hub.wait_for_end(job, world.clock.now() + 2s)));
  std::optional<bool> ended;
  world.tasks.start(keep_result(world.hub.wait_for_end(job, world.clock.now() + 60s), ended));
  world.clock.run_for(5s);
  EXPECT_EQ(ended, std::nullopt);
  world.done(job, 2, "a");
  world.clock.run_for(10ms);
  EXPECT_EQ(ended, true);
  EXPECT_TRUE(world.result_of(world.hub.wait_for_end(job, world.clock.now() + 1s)));
}

TEST(JobStream, WaitForEndOutlastsALogThatIsAway) {
  World world;
  world.log.away = true;
  std::optional<bool> ended;
  world.tasks.start(keep_result(world.hub.wait_for_end(job, world.clock.now() + 60s), ended));
  world.clock.run_for(10s);
  world.log.come_back();
  world.done(job, 1, "a");
  world.clock.run_for(3s);
  EXPECT_EQ(ended, true);
}

}  // namespace
}  // namespace millrace::relay
