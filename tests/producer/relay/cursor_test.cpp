#include "producer/relay/cursor.h"

#include <gtest/gtest.h>

#include "shared/runtime/limits.h"
#include "shared/runtime/random.h"
#include "tests/producer/relay/world.h"

namespace millrace::relay {
namespace {

using test::job_id;

std::string text_of(const CursorText& cursor) {
  std::string text;
  cursor.append_to(text);
  return text;
}

TEST(Cursor, ReadsWhatItWrote) {
  Cursor cursor;
  for (int i = 0; i < static_cast<int>(limits::jobs_per_stream_max); ++i) {
    cursor.emplace_back(job_id(i), static_cast<Seq>(i) * 1'000'003);
    EXPECT_EQ(parse_cursor(to_text(cursor)), cursor);
  }
  EXPECT_LT(to_text(cursor).size(), limits::header_bytes_max / 2);
}

TEST(Cursor, TheEndIsAPlaceToo) {
  EXPECT_EQ(to_text({}), "end");
  EXPECT_EQ(parse_cursor("end"), Cursor{});
}

TEST(Cursor, RefusesWhatItNeverWrote) {
  const auto id = job_id(1).str();
  for (const auto& wrong :
       {std::string(), std::string(","), id, id + ":", id + ":x", id + ":-1", id + ":1,",
        "," + id + ":1", id + ":1," + id + ":2", id + ":9007199254740993",
        id + ":18446744073709551616", id + ":1 ", id + ";1", "x" + id + ":1",
        std::string("end,") + id + ":1", std::string("End")}) {
    EXPECT_FALSE(parse_cursor(wrong)) << wrong;
  }
}

TEST(Cursor, RefusesMoreJobsThanAStreamMayHave) {
  Cursor cursor;
  for (int i = 0; i <= static_cast<int>(limits::jobs_per_stream_max); ++i) {
    cursor.emplace_back(job_id(i), 1);
  }
  EXPECT_FALSE(parse_cursor(to_text(cursor)));
}

TEST(Cursor, DamagedTextIsRefusedOrReadAsWhatItNowSays) {
  SeededRandom random(11);
  const std::string good = to_text({{job_id(1), 5}, {job_id(2), 77}, {job_id(3), 0}});
  for (int round = 0; round < 20'000; ++round) {
    std::string text = good;
    for (auto edits = random.next() % 4; edits > 0 && !text.empty(); --edits) {
      const auto at = random.next() % text.size();
      switch (random.next() % 3) {
        case 0:
          text[at] = static_cast<char>(random.next());
          break;
        case 1:
          text.erase(at, 1 + random.next() % 5);
          break;
        default:
          text.insert(at, 1, ":,0e-"[random.next() % 5]);
      }
    }
    const auto cursor = parse_cursor(text);
    if (cursor) EXPECT_EQ(parse_cursor(to_text(*cursor)), cursor) << text;
  }
}

TEST(Cursor, KeptTextSaysTheSameAsOneMadeAnew) {
  CursorText kept;
  EXPECT_EQ(text_of(kept), "end");
  kept.set(job_id(1), 0);
  kept.set(job_id(2), 4);
  kept.set(job_id(1), 12);
  EXPECT_EQ(text_of(kept), to_text({{job_id(1), 12}, {job_id(2), 4}}));
  kept.remove(job_id(1));
  EXPECT_EQ(text_of(kept), to_text({{job_id(2), 4}}));
}

TEST(Place, IsANumberUpTo2To53) {
  EXPECT_EQ(parse_seq("0"), Seq{0});
  EXPECT_EQ(parse_seq("9007199254740992"), Seq{1} << 53);
  for (const char* wrong :
       {"", "-1", "+1", " 1", "1 ", "1.0", "0x1", "9007199254740993", "99999999999999999999"}) {
    EXPECT_FALSE(parse_seq(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace millrace::relay
