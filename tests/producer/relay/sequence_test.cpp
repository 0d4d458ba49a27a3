#include "producer/relay/sequence.h"

#include <gtest/gtest.h>

#include "tests/producer/relay/world.h"

namespace millrace::relay {
namespace {

using test::job_id;

std::string delta(Seq seq) {
  return std::to_string(seq) + " delta {\"n\":" + std::to_string(seq) + "}\n";
}
std::string deltas(Seq from, Seq to) {
  std::string lines;
  for (Seq seq = from; seq <= to; ++seq) lines += delta(seq);
  return lines;
}
LogPage page(std::string lines, Seq last, JobState state = JobState::running, bool more = false) {
  return {.lines = std::move(lines), .last = last, .state = state, .more = more};
}
std::vector<Seq> taken(const Sequence& sequence) {
  std::string text;
  auto place = sequence.tail().start();
  while (const auto slice = sequence.tail().from(place)) {
    text += slice->frames;
    place = slice->next;
  }
  return test::seqs_of(text);
}

TEST(Sequence, TakesNothingLiveBeforeTheLogHasSaidWhereTheJobStands) {
  Sequence sequence(job_id(1));
  EXPECT_FALSE(sequence.take_live(delta(5), false));
  EXPECT_TRUE(sequence.take_page(page(deltas(4, 5), 5)));
  EXPECT_EQ(taken(sequence), (std::vector<Seq>{4, 5}));
}

TEST(Sequence, DropsWhatHasBeenSeen) {
  Sequence sequence(job_id(1));
  sequence.take_page(page(deltas(1, 3), 3));
  EXPECT_TRUE(sequence.take_live(deltas(2, 5), false));
  EXPECT_EQ(taken(sequence), (std::vector<Seq>{1, 2, 3, 4, 5}));
}

TEST(Sequence, AJumpAsksForTheLogAndKeepsWhatCame) {
  Sequence sequence(job_id(1));
  sequence.take_page(page(deltas(1, 3), 3));
  EXPECT_FALSE(sequence.take_live(delta(6), false));
  EXPECT_TRUE(sequence.take_live(delta(7), true));
  EXPECT_EQ(sequence.last(), 3u);
  EXPECT_TRUE(sequence.take_page(page(deltas(4, 6), 6)));
  EXPECT_EQ(taken(sequence), (std::vector<Seq>{1, 2, 3, 4, 5, 6, 7}));
}

TEST(Sequence, AJumpThatTheLogCannotFillIsAnnounced) {
  Sequence sequence(job_id(1));
  sequence.take_page(page(deltas(1, 3), 3));
  EXPECT_FALSE(sequence.take_live(delta(6), false));
  EXPECT_TRUE(sequence.take_page(page("", 3)));
  EXPECT_EQ(taken(sequence), (std::vector<Seq>{1, 2, 3, 0, 6}));
}

TEST(Sequence, ALineThatCameDuringTheReadIsNotGivenUpOnItsAccount) {
  Sequence sequence(job_id(1));
  sequence.take_page(page(deltas(1, 3), 3));
  sequence.take_live(delta(9), true);  // the read was sent before
  EXPECT_FALSE(sequence.take_page(page(deltas(4, 5), 5)));
  EXPECT_TRUE(sequence.take_page(page(deltas(6, 9), 9)));
  EXPECT_EQ(taken(sequence), (std::vector<Seq>{1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST(Sequence, TheHoldersGapIsTakenLive) {
  Sequence sequence(job_id(1));
  sequence.take_page(page(deltas(1, 3), 3));
  EXPECT_TRUE(sequence.take_live("5000 gap {\"from\":4,\"to\":4999}\n5001 done {}\n", false));
  EXPECT_EQ(taken(sequence), (std::vector<Seq>{1, 2, 3, 5000, 5001}));
  EXPECT_TRUE(sequence.ended());
}

TEST(Sequence, AHoldersGapThatBeginsLaterIsWidened) {
  Sequence sequence(job_id(1));
  sequence.take_page(page(deltas(1, 3), 3));
  const std::string gap = "5000 gap {\"from\":8,\"to\":4999}\n";
  EXPECT_FALSE(sequence.take_live(gap, false));
  EXPECT_TRUE(sequence.take_page(page(gap, 5000)));
  EXPECT_EQ(taken(sequence), (std::vector<Seq>{1, 2, 3, 0, 5000}));
}

TEST(Sequence, ALiveSnapshotDoesNotHideEventsThatWereMissed) {
  Sequence sequence(job_id(1));
  sequence.take_page(page(deltas(1, 3), 3));
  EXPECT_FALSE(sequence.take_live("9 snapshot {}\n", false));
}

TEST(Sequence, ALongBacklogLeavesATailThatBeginsAtItsEnd) {
  Sequence sequence(job_id(1));
  sequence.take_page(page(deltas(1, 3), 900, JobState::running, true));
  EXPECT_EQ(sequence.last(), 900u);
  EXPECT_TRUE(taken(sequence).empty());
  EXPECT_TRUE(sequence.take_live(delta(901), false));
  EXPECT_EQ(taken(sequence), (std::vector<Seq>{901}));
}

TEST(Sequence, NothingComesAfterTheTerminalEvent) {
  Sequence sequence(job_id(1));
  sequence.take_page(page("1 done {}\n", 1, JobState::succeeded));
  EXPECT_TRUE(sequence.ended());
  EXPECT_TRUE(sequence.take_live(delta(2), false));
  EXPECT_EQ(taken(sequence), (std::vector<Seq>{1}));
}

TEST(Sequence, AReaderWhoClaimsAFarPlaceDoesNotMoveTheOthers) {
  Sequence sequence(job_id(1));
  sequence.take_page(page("", 3));  // asked for what is after 2^53
  EXPECT_EQ(sequence.last(), 3u);
  EXPECT_TRUE(sequence.take_live(delta(4), false));
  EXPECT_EQ(taken(sequence), (std::vector<Seq>{4}));
}

TEST(Sequence, MoreLinesDuringAReadThanAreKeptCostOneMoreRead) {
  Sequence sequence(job_id(1));
  sequence.take_page(page(deltas(1, 1), 1));
  const std::string big = "2 delta {\"t\":\"" + std::string(70'000, 'x') + "\"}\n";
  EXPECT_TRUE(sequence.take_live(big, true));
  EXPECT_FALSE(sequence.take_page(page("", 1)));
  EXPECT_TRUE(sequence.take_page(page(big, 2)));
  EXPECT_EQ(sequence.last(), 2u);
}

TEST(Sequence, TheStoredEndFollowsAGapAfterWhatWasSeen) {
  Sequence sequence(job_id(1));
  sequence.take_page(page(deltas(1, 3), 3));
  sequence.take_stored_end(std::to_string(last_seq_possible) + " done {}\n");
  EXPECT_EQ(taken(sequence), (std::vector<Seq>{1, 2, 3, 0, last_seq_possible}));
  EXPECT_TRUE(sequence.ended());
}

TEST(Sequence, GarbageOnTheWayIsNotTakenForAnEvent) {
  Sequence sequence(job_id(1));
  sequence.take_page(page(deltas(1, 1), 1));
  for (const char* wrong :
       {"x", "\n", "2\n", "2 \n", "two delta {}\n", "2 delta", " 2 delta {}\n"}) {
    sequence.take_live(wrong, false);
    EXPECT_EQ(sequence.last(), 1u) << wrong;
  }
}

}  // namespace
}  // namespace millrace::relay
