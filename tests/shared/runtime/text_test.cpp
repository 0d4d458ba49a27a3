#include <gtest/gtest.h>

#include "shared/runtime/ids.h"
#include "shared/runtime/json_text.h"
#include "shared/runtime/time.h"

namespace millrace {
namespace {

TEST(JsonText, EscapesWhatMustBeAndCopiesAllElse) {
  std::string out;
  append_json_escaped(out, std::string_view("a\"\\\b\f\n\r\t\0\x1f/한", 14));
  EXPECT_EQ(out, "a\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f/\xed\x95\x9c");
}

TEST(Utf8, CutsBetweenCharacters) {
  EXPECT_EQ(cut_utf8("한글", 5), "한");
  EXPECT_EQ(cut_utf8("한글", 6), "한글");
  EXPECT_EQ(cut_utf8("한글", 2), "");
}

TEST(Utf8, AcceptsOnlyWellFormedText) {
  for (const char* good : {"", "plain", "한글", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"})
    EXPECT_TRUE(valid_utf8(good)) << good;
  for (const char* bad : {"\x80", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                          "\xf8\x88\x80\x80\x80", "\xed\x95", "a\xff"})
    EXPECT_FALSE(valid_utf8(bad)) << bad;
}

TEST(Rfc3339, ReadsWhatItWrites) {
  for (const std::int64_t ms :
       {0LL, 1LL, 951'782'400'000LL, 1'790'000'000'123LL, 253'402'300'799'999LL}) {
    const WallTime when{std::chrono::milliseconds(ms)};
    EXPECT_EQ(from_rfc3339(to_rfc3339(when)), when);
  }
  EXPECT_EQ(to_rfc3339(WallTime{std::chrono::milliseconds(951'782'400'000)}),
            "2000-02-29T00:00:00.000Z");
}

TEST(Rfc3339, ReadsOffsetsAndFractions) {
  const auto noon = from_rfc3339("2026-01-31T12:00:00Z");
  EXPECT_EQ(from_rfc3339("2026-01-31T21:00:00+09:00"), noon);
  EXPECT_EQ(from_rfc3339("2026-01-31t07:00:00.000000-05:00"), noon);
  EXPECT_EQ(*from_rfc3339("2026-01-31T12:00:00.5Z") - *noon, 500ms);
}

TEST(Rfc3339, RefusesEverythingElse) {
  for (const char* bad :
       {"", "2026", "2026-02-30T00:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:00:00",
        "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00Zx", "2026-1-31T12:00:00Z",
        "1969-12-31T23:59:59Z", "2026-01-31T12:00:00+9:00"})
    EXPECT_FALSE(from_rfc3339(bad)) << bad;
}

TEST(JobId, ReadsWhatItWritesAndNothingElse) {
  SeededRandom random(1);
  const auto id = new_job_id(WallTime{std::chrono::milliseconds(1'790'000'000'123)}, random);
  EXPECT_EQ(JobId::parse(id.str()), id);
  EXPECT_EQ(id.str()[14], '7');
  for (const char* bad :
       {"", "01890a5d-ac96-774b-bcce-b302099a805", "01890a5dac96-774b-bcce-b302099a80570",
        "01890a5d-ac96-774b-bcce-b302099a805g"})
    EXPECT_FALSE(JobId::parse(bad)) << bad;
}

TEST(JobId, RisesWithTime) {
  SeededRandom random(1);
  const auto early = new_job_id(WallTime{std::chrono::milliseconds(1000)}, random);
  const auto late = new_job_id(WallTime{std::chrono::milliseconds(1001)}, random);
  EXPECT_LT(early, late);
}

TEST(JobId, ADerivedIdIsTheSameForTheSamePairOnly) {
  EXPECT_EQ(derived_job_id("a", "k"), derived_job_id("a", "k"));
  EXPECT_NE(derived_job_id("a", "k"), derived_job_id("b", "k"));
  EXPECT_NE(derived_job_id("ab", "c"), derived_job_id("a", "bc"));
  EXPECT_EQ(derived_job_id("a", "k").str()[14], '8');
}

}  // namespace
}  // namespace millrace
