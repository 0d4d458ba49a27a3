#include <gtest/gtest.h>

#include "producer/relay/cursor.h"
#include "producer/relay/many_jobs_stream.h"
#include "tests/producer/relay/world.h"

namespace millrace::relay {
namespace {

using namespace test;

Connection& read_jobs(World& world, const Cursor& from) {
  auto seats = std::make_shared<Seats>();
  for (const auto& [id, after] : from) seats->push_back(world.hub.sit(id, after));
  return world.connect(jobs_stream(world.hub, std::move(seats)));
}

/// The id of a frame of a stream of many jobs.
std::string id_of(std::string_view frame) {
  const auto at = frame.rfind("\nid: ");
  if (at == std::string_view::npos) return {};
  return std::string(frame.substr(at + 5, frame.size() - at - 7));
}

std::vector<std::string> whole_frames(std::string_view bytes) {
  const auto events = events_of(bytes);
  std::vector<std::string> frames;
  for (std::size_t at = 0; at < events.size();) {
    const auto end = events.find("\n\n", at) + 2;
    frames.push_back(events.substr(at, end - at));
    at = end;
  }
  return frames;
}

/// The `event` and `data` lines of one job's frames.
std::string told_of(const std::vector<std::string>& frames, const JobId& id) {
  std::string told;
  for (const auto& frame : frames) {
    if (frame.find(id.str()) < frame.find("\nid: ")) told += frame.substr(0, frame.rfind("id: "));
  }
  return told;
}

std::string log_of(const World& world, const JobId& id) {
  std::string told;
  const auto whole = world.whole_stream(id);
  for (const auto& frame : frames_of(whole)) told += frame.head;
  return told;
}

TEST(JobsStream, TellsEveryJobInItsOrderAndEndsAfterTheLastOne) {
  World world;
  for (int i = 1; i <= 3; ++i) world.delta(job_id(i), 1, "a");
  auto& reader = read_jobs(world, {{job_id(1), 0}, {job_id(2), 0}, {job_id(3), 0}});
  world.clock.run_for(10ms);
  world.done(job_id(2), 2, "x");
  world.delta(job_id(3), 2, "y");
  world.clock.run_for(10ms);
  world.done(job_id(3), 3, "x");
  world.clock.run_for(10ms);
  EXPECT_FALSE(reader.ended);
  world.done(job_id(1), 2, "x");
  world.clock.run_for(10ms);
  EXPECT_TRUE(reader.ended);
  const auto frames = whole_frames(reader.writer.got);
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(told_of(frames, job_id(i)), log_of(world, job_id(i)));
  EXPECT_EQ(id_of(frames.back()), "end");
  EXPECT_EQ(count_of(reader.writer.got, "retry:"), 1u);
}

TEST(JobsStream, EachIdNamesEveryJobThatHasNotEnded) {
  World world;
  world.delta(job_id(1), 1, "a");
  world.delta(job_id(2), 1, "a");
  auto& reader = read_jobs(world, {{job_id(1), 0}, {job_id(2), 0}});
  world.clock.run_for(10ms);
  world.done(job_id(1), 2, "x");
  world.clock.run_for(10ms);
  const auto frames = whole_frames(reader.writer.got);
  ASSERT_EQ(frames.size(), 3u);
  EXPECT_EQ(parse_cursor(id_of(frames[0])), (Cursor{{job_id(1), 1}, {job_id(2), 0}}));
  EXPECT_EQ(parse_cursor(id_of(frames[1])), (Cursor{{job_id(1), 1}, {job_id(2), 1}}));
  EXPECT_EQ(parse_cursor(id_of(frames[2])), (Cursor{{job_id(2), 1}}));
}

TEST(JobsStream, CutAnywhereAndResumedWithTheLastCursorNothingIsLostOrRepeated) {
  World world;
  world.log.page_events = 2;
  for (int i = 1; i <= 3; ++i) {
    for (Seq seq = 1; seq <= 3; ++seq) world.delta(job_id(i), seq, "token");
    world.done(job_id(i), 4, "x");
  }
  const Cursor start{{job_id(1), 0}, {job_id(2), 0}, {job_id(3), 0}};
  auto& all = read_jobs(world, start);
  world.clock.run_for(50ms);
  ASSERT_TRUE(all.ended);
  const auto total = all.writer.got.size();
  for (std::size_t cut = 1; cut < total; cut += 7) {
    auto& first = read_jobs(world, start);
    first.writer.bytes_max = cut;
    world.clock.run_for(50ms);
    auto frames = whole_frames(first.writer.got);
    const auto cursor = frames.empty() ? start : parse_cursor(id_of(frames.back()));
    ASSERT_TRUE(cursor);
    auto& second = read_jobs(world, *cursor);
    world.clock.run_for(50ms);
    EXPECT_TRUE(second.ended);
    for (auto& frame : whole_frames(second.writer.got)) frames.push_back(frame);
    for (int i = 1; i <= 3; ++i) {
      ASSERT_EQ(told_of(frames, job_id(i)), log_of(world, job_id(i))) << cut;
    }
    world.connections.clear();
  }
}

TEST(JobsStream, OneJobWhosePagesCannotBeReadDoesNotSilenceTheHeartbeat) {
  World world;
  world.log.page_events = 1;
  for (Seq seq = 1; seq <= 5; ++seq) world.delta(job_id(1), seq, "a");
  auto seats = std::make_shared<Seats>();
  seats->push_back(std::move(*world.result_of(world.hub.open(job_id(1), 0))));
  world.log.away = true;
  auto& reader = world.connect(jobs_stream(world.hub, seats));
  world.clock.run_for(16s);
  EXPECT_GE(count_of(reader.writer.got, ":\n\n"), 1u);
  world.log.come_back();
  world.done(job_id(1), 6, "x");
  world.clock.run_for(3s);
  EXPECT_TRUE(reader.ended);
  EXPECT_EQ(told_of(whole_frames(reader.writer.got), job_id(1)), log_of(world, job_id(1)));
}

TEST(JobsStream, AJobWhoseLogIsGoneIsToldFromTheStoreAmongTheOthers) {
  World world;
  world.store_done(job_id(1), "answer");
  world.delta(job_id(2), 1, "a");
  auto& reader = read_jobs(world, {{job_id(1), 5}, {job_id(2), 0}});
  world.clock.run_for(100ms);
  EXPECT_NE(reader.writer.got.find("answer"), std::string::npos);
  const auto frames = whole_frames(reader.writer.got);
  EXPECT_EQ(parse_cursor(id_of(frames.back())), (Cursor{{job_id(2), 1}}));
  EXPECT_FALSE(reader.ended);
}

TEST(JobsStream, EndsOnDrain) {
  World world;
  world.delta(job_id(1), 1, "a");
  auto& reader = read_jobs(world, {{job_id(1), 0}});
  world.clock.run_for(10ms);
  reader.writer.drain();
  world.clock.run_for(10ms);
  EXPECT_TRUE(reader.ended);
}

Connection& read_session(World& world, const Cursor& resume = {}) {
  return world.connect(session_stream(world.hub, "default", "s", resume));
}

TEST(SessionStream, TellsItsLiveJobsTakesInNewOnesAndStaysOpen) {
  World world;
  world.delta(job_id(1), 1, "a");
  world.log.records[job_id(1)].session = "s";
  world.delta(job_id(2), 1, "other session");
  auto& reader = read_session(world);
  world.clock.run_for(10ms);
  world.delta(job_id(3), 1, "b");
  world.log.join_session("s", job_id(3));
  world.clock.run_for(10ms);
  world.done(job_id(1), 2, "a");
  world.done(job_id(3), 2, "b");
  world.clock.run_for(10ms);
  EXPECT_FALSE(reader.ended);
  const auto frames = whole_frames(reader.writer.got);
  EXPECT_EQ(told_of(frames, job_id(1)), log_of(world, job_id(1)));
  EXPECT_EQ(told_of(frames, job_id(3)), log_of(world, job_id(3)));
  EXPECT_EQ(told_of(frames, job_id(2)), "");
  EXPECT_EQ(id_of(frames.back()), "end");
  world.clock.run_for(16s);
  EXPECT_GE(count_of(reader.writer.got, ":\n\n"), 1u);
}

TEST(SessionStream, AJobAnnouncedTwiceIsToldOnce) {
  World world;
  world.delta(job_id(1), 1, "a");
  auto& reader = read_session(world);
  world.clock.run_for(10ms);
  world.log.join_session("s", job_id(1));
  world.log.join_session("s", job_id(1));
  world.clock.run_for(10ms);
  world.done(job_id(1), 2, "a");
  world.clock.run_for(10ms);
  world.log.join_session("s", job_id(1));
  world.clock.run_for(100ms);
  EXPECT_EQ(told_of(whole_frames(reader.writer.got), job_id(1)), log_of(world, job_id(1)));
}

TEST(SessionStream, ResumesWithItsCursorAndForgetsNoJobThatEndedMeanwhile) {
  World world;
  for (int i = 1; i <= 2; ++i) {
    for (Seq seq = 1; seq <= 3; ++seq) world.delta(job_id(i), seq, "a");
    world.log.records[job_id(i)].session = "s";
  }
  world.done(job_id(1), 4, "a");
  auto& reader = read_session(world, {{job_id(1), 2}, {job_id(2), 3}});
  world.clock.run_for(10ms);
  const auto frames = whole_frames(reader.writer.got);
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(parse_cursor(id_of(frames[0])), (Cursor{{job_id(1), 3}, {job_id(2), 3}}));
  EXPECT_EQ(parse_cursor(id_of(frames[1])), (Cursor{{job_id(2), 3}}));
}

TEST(SessionStream, ACursorThatNamesAnotherSessionsJobOpensNothing) {
  World world;
  world.delta(job_id(1), 1, "secret");
  world.log.records[job_id(1)].session = "theirs";
  world.store_done(job_id(2), "secret", "theirs");
  auto& reader = read_session(world, {{job_id(1), 0}, {job_id(2), 0}, {job_id(3), 0}});
  world.clock.run_for(5s);
  EXPECT_EQ(reader.writer.got, "");
}

TEST(SessionStream, MoreLiveJobsThanAStreamMayCarryJoinAsOthersEnd) {
  World world;
  const int jobs = static_cast<int>(limits::jobs_per_stream_max) + 5;
  for (int i = 0; i < jobs; ++i) {
    world.delta(job_id(i), 1, "a");
    world.log.records[job_id(i)].session = "s";
  }
  auto& reader = read_session(world);
  world.clock.run_for(1s);
  EXPECT_EQ(whole_frames(reader.writer.got).size(), limits::jobs_per_stream_max);
  for (int i = 0; i < 5; ++i) world.done(job_id(i), 2, "a");
  world.clock.run_for(1s);
  EXPECT_EQ(told_of(whole_frames(reader.writer.got), job_id(jobs - 1)),
            log_of(world, job_id(jobs - 1)));
  EXPECT_FALSE(reader.ended);
}

TEST(SessionStream, OpensWhileTheLogIsAwayAndTellsWhenItIsBack) {
  World world;
  world.delta(job_id(1), 1, "a");
  world.log.records[job_id(1)].session = "s";
  world.log.away = true;
  auto& reader = read_session(world, {{job_id(1), 0}});
  world.clock.run_for(16s);
  EXPECT_EQ(events_of(reader.writer.got), "");
  EXPECT_GE(count_of(reader.writer.got, ":\n\n"), 1u);
  world.log.come_back();
  world.clock.run_for(2s);
  EXPECT_EQ(told_of(whole_frames(reader.writer.got), job_id(1)), log_of(world, job_id(1)));
}

}  // namespace
}  // namespace millrace::relay
