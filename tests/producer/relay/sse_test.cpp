#include "producer/relay/sse.h"

#include <gtest/gtest.h>

#include "tests/producer/relay/world.h"

namespace millrace::relay {
namespace {

using test::job_id;

EventLine line_of(Seq seq, std::string_view type, std::string_view json) {
  return {.seq = seq, .type = type, .json = json, .whole = {}};
}

TEST(Sse, AFrameHasEventThenDataThenIdAndOneEmptyLine) {
  std::string frame;
  append_frame(frame, line_of(7, "delta", R"({"seq":7,"text":"a"})"));
  EXPECT_EQ(frame, "event: delta\ndata: {\"seq\":7,\"text\":\"a\"}\nid: 7\n\n");
}

TEST(Sse, WritingInPlaceGivesTheSameBytesAndTheirExactNumber) {
  for (const Seq seq : {Seq{1}, Seq{9}, Seq{10}, Seq{99}, Seq{100}, last_seq_possible}) {
    const auto event = line_of(seq, "delta", R"({"text":"x"})");
    std::string appended;
    append_frame(appended, event);
    std::string written(frame_bytes(event), '?');
    EXPECT_EQ(write_frame(written.data(), event), written.data() + written.size());
    EXPECT_EQ(written, appended);
  }
}

TEST(Sse, FramesAreTakenApartAsTheyWerePutTogether) {
  std::string text;
  append_frame(text, line_of(41, "delta", R"({"text":"\nid: 9"})"));
  append_made_frame(text, "gap", made_gap_json(job_id(1), {42, 50}));
  append_frame(text, line_of(51, "done", "{}"));
  const auto frames = test::frames_of(text);
  ASSERT_EQ(frames.size(), 3u);
  EXPECT_EQ(frames[0].seq, Seq{41});
  EXPECT_EQ(frames[0].type, "delta");
  EXPECT_EQ(frames[0].head, "event: delta\ndata: {\"text\":\"\\nid: 9\"}\n");
  EXPECT_EQ(frames[1].seq, std::nullopt);
  EXPECT_EQ(frames[1].type, "gap");
  EXPECT_EQ(std::string(frames[1].head) + "\n", frames[1].whole);
  EXPECT_EQ(frames[2].seq, Seq{51});
}

TEST(Sse, MadeGapAndSnapshotHaveNoSeqAndNoId) {
  EXPECT_EQ(made_gap_json(job_id(1), {3, 9}),
            R"({"job":")" + job_id(1).str() + R"(","type":"gap","from":3,"to":9})");
  EXPECT_EQ(made_snapshot_json(job_id(1), "a\"b", 9),
            R"({"job":")" + job_id(1).str() + R"(","type":"snapshot","text":"a\"b","upto":9})");
}

TEST(Sse, WhatFollowsOrAnnouncesTheJumpItselfNeedsNoGap) {
  EXPECT_FALSE(lost_before(4, line_of(5, "delta", "{}")));
  EXPECT_FALSE(lost_before(4, line_of(900, "gap", R"({"from":5,"to":899})")));
  EXPECT_FALSE(lost_before(4, line_of(900, "gap", R"({"from":2,"to":899})")));
  EXPECT_FALSE(lost_before(4, line_of(900, "snapshot", "{}")));
}

TEST(Sse, AJumpIsAnnouncedAsFarAsTheGapOfTheHolderDoesNotReach) {
  const auto plain = lost_before(4, line_of(8, "delta", "{}"));
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->from, 5u);
  EXPECT_EQ(plain->to, 7u);
  const auto ahead = lost_before(4, line_of(900, "gap", R"({"from":50,"to":899})"));
  ASSERT_TRUE(ahead);
  EXPECT_EQ(ahead->from, 5u);
  EXPECT_EQ(ahead->to, 49u);
}

TEST(Sse, APageIsFramedFromTheReadersPlaceToTheTerminalEvent) {
  const std::string lines =
      "1 delta {\"a\":1}\n2 delta {\"a\":2}\n5 delta {\"a\":5}\n6 done {}\n7 delta {\"a\":7}\n";
  const auto page = frame_page(job_id(1), lines, 1);
  EXPECT_EQ(page.last, 6u);
  EXPECT_EQ(page.events, 3u);
  EXPECT_TRUE(page.ended);
  EXPECT_EQ(page.frames, "event: delta\ndata: {\"a\":2}\nid: 2\n\nevent: gap\ndata: " +
                             made_gap_json(job_id(1), {3, 4}) +
                             "\n\nevent: delta\ndata: {\"a\":5}\nid: 5\n\n"
                             "event: done\ndata: {}\nid: 6\n\n");
}

}  // namespace
}  // namespace millrace::relay
