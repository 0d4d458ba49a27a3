#include "producer/relay/tail.h"

#include <gtest/gtest.h>

#include "shared/runtime/random.h"
#include "tests/producer/relay/world.h"

namespace millrace::relay {
namespace {

void put(Tail& tail, Seq seq, std::size_t bytes = 20) {
  const std::string json(bytes, 'x');
  tail.append({.seq = seq, .type = "delta", .json = json, .whole = {}});
}

std::vector<Seq> read_from(const Tail& tail, Tail::Place place) {
  std::string text;
  while (const auto slice = tail.from(place)) {
    text += slice->frames;
    place = slice->next;
  }
  return test::seqs_of(text);
}

TEST(Tail, GivesEveryReaderWhatComesAfterItsPlace) {
  Tail tail(10);
  for (Seq seq = 11; seq <= 30; ++seq) put(tail, seq);
  for (Seq after = 10; after <= 30; ++after) {
    const auto seqs = read_from(tail, tail.find(after));
    ASSERT_EQ(seqs.size(), 30 - after);
    for (std::size_t i = 0; i < seqs.size(); ++i) EXPECT_EQ(seqs[i], after + 1 + i);
  }
}

TEST(Tail, PlacesCountBytesAndEvents) {
  Tail tail;
  put(tail, 1);
  const auto one = tail.end();
  put(tail, 2);
  EXPECT_EQ(tail.end().byte, 2 * one.byte);
  EXPECT_EQ(tail.end().event, 2u);
  EXPECT_EQ(tail.find(1), one);
}

TEST(Tail, StaysWithinItsBoundAndTellsWhereItBegins) {
  Tail tail;
  for (Seq seq = 1; seq <= 2000; ++seq) put(tail, seq, 100);
  EXPECT_LE(tail.end().byte - tail.start().byte, tail_bytes_max);
  EXPECT_GT(tail.end().byte - tail.start().byte, tail_bytes_max - 2 * tail_block_bytes_max);
  EXPECT_EQ(read_from(tail, tail.find(tail.base())).front(), tail.base() + 1);
  EXPECT_EQ(tail.find(tail.base()), tail.start());
}

TEST(Tail, AnEventLargerThanTheBoundStandsAlone) {
  Tail tail;
  put(tail, 1);
  put(tail, 2, 10 * tail_bytes_max);
  EXPECT_EQ(tail.base(), 1u);
  EXPECT_EQ(read_from(tail, tail.find(1)), (std::vector<Seq>{2}));
  put(tail, 3);
  EXPECT_EQ(tail.base(), 2u);
}

TEST(Tail, ASliceOutlivesTheBlockItCameFrom) {
  Tail tail;
  put(tail, 1);
  const auto slice = tail.from(tail.start());
  const std::string before(slice->frames);
  for (Seq seq = 2; seq <= 2000; ++seq) put(tail, seq, 100);
  EXPECT_GT(tail.base(), 1u);
  EXPECT_EQ(slice->frames, before);
}

TEST(Tail, ASliceEndsAtTheEventItNames) {
  Tail tail;
  put(tail, 1);
  put(tail, 2);
  const auto slice = tail.from(tail.start());
  EXPECT_EQ(slice->last, 2u);
  put(tail, 3);
  EXPECT_EQ(test::seqs_of(slice->frames), (std::vector<Seq>{1, 2}));
  EXPECT_EQ(read_from(tail, slice->next), (std::vector<Seq>{3}));
}

TEST(Tail, AMadeGapIsSeenByWhoeverStandsBeforeIt) {
  Tail tail;
  put(tail, 1);
  std::string gap;
  append_made_frame(gap, "gap", "{}");
  tail.append_made(gap);
  put(tail, 9);
  EXPECT_EQ(read_from(tail, tail.find(1)), (std::vector<Seq>{0, 9}));
  EXPECT_EQ(read_from(tail, tail.find(5)), (std::vector<Seq>{0, 9}));
  EXPECT_TRUE(read_from(tail, tail.find(9)).empty());
}

TEST(Tail, AMadeGapAtTheBorderOfTwoBlocksIsStillSeen) {
  for (std::size_t bytes = 120; bytes < 480; ++bytes) {
    Tail tail;
    put(tail, 1, bytes);
    std::string gap;
    append_made_frame(gap, "gap", "{}");
    tail.append_made(gap);
    put(tail, 9, 300);
    EXPECT_EQ(read_from(tail, tail.find(1)), (std::vector<Seq>{0, 9})) << bytes;
    EXPECT_EQ(read_from(tail, tail.find(5)), (std::vector<Seq>{0, 9})) << bytes;
  }
}

TEST(Tail, AfterARestartEveryOldPlaceIsBehind) {
  Tail tail;
  put(tail, 1);
  const auto end = tail.end();
  tail.restart(100);
  EXPECT_LT(end, tail.start());
  EXPECT_EQ(tail.base(), 100u);
  EXPECT_FALSE(tail.from(tail.find(100)));
  put(tail, 101);
  EXPECT_EQ(read_from(tail, tail.find(100)), (std::vector<Seq>{101}));
}

TEST(Tail, ReadersOfAnyPaceGetTheSameBytes) {
  SeededRandom random(7);
  Tail tail;
  std::string whole;
  std::array<Tail::Place, 8> places{};
  std::array<std::string, 8> got;
  for (Seq seq = 1; seq <= 3000; ++seq) {
    const std::string json(random.next() % 300, 'y');
    const EventLine event{.seq = seq, .type = "delta", .json = json, .whole = {}};
    tail.append(event);
    append_frame(whole, event);
    for (std::size_t reader = 0; reader < places.size(); ++reader) {
      if (random.next() % (reader + 1) != 0) continue;
      while (const auto slice = tail.from(places[reader])) {
        got[reader] += slice->frames;
        places[reader] = slice->next;
      }
    }
  }
  for (std::size_t reader = 0; reader < places.size(); ++reader) {
    while (const auto slice = tail.from(places[reader])) {
      got[reader] += slice->frames;
      places[reader] = slice->next;
    }
    EXPECT_TRUE(got[reader] == whole) << reader;
  }
}

}  // namespace
}  // namespace millrace::relay
