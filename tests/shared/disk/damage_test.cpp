#include "tests/seams/small_disk.h"
#include "tests/shared/disk/driven_log.h"

namespace millrace::disk {
namespace {

class LogDamage : public DrivenLog {
 protected:
  std::string bytes() {
    std::ifstream in(segment(1), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void put(const std::string& text) { std::ofstream(segment(1), std::ios::binary) << text; }
  /// Between two starts.
  void turn_over(std::size_t at) {
    std::string text = bytes();
    text[at] = static_cast<char>(text[at] ^ 0x20);
    put(text);
  }
  std::size_t where(std::string_view word) { return bytes().find(word); }
  bool kept_aside() { return std::filesystem::exists(segment(1) + ".damaged"); }
  /// What its next holder is told is lost.
  std::optional<Seq> gap(const Job& job) {
    const auto begun = begin(job, token(), 0, true);
    return begun ? begun->gap_from : std::nullopt;
  }
};

TEST_F(LogDamage, OneTurnedByteCostsNoJobBehindItAnything) {
  open();
  std::vector<Job> before, behind;
  for (int i = 0; i < 20; ++i) ended(before.emplace_back(job()), 5);
  const auto hit = job();
  const auto live_before = job();
  running(live_before, 3);
  ended(hit, 5, "turned");
  for (int i = 0; i < 20; ++i) ended(behind.emplace_back(job()), 5);
  const auto live_behind = job();
  running(live_behind, 3);
  log.reset();
  turn_over(where("turned"));
  open();
  for (const auto& one : before) EXPECT_EQ(all(one), lines(1, 5));
  for (const auto& one : behind) EXPECT_EQ(all(one), lines(1, 5));
  EXPECT_NE(all(hit), lines(1, 5, "turned")) << "its end was told in the damaged entry";
  EXPECT_EQ(all(live_behind), lines(1, 3));
  EXPECT_EQ(gap(live_behind), std::nullopt) << "all of it lies behind the damage";
  EXPECT_EQ(all(live_before), lines(1, 3));
  EXPECT_EQ(gap(live_before), 4u) << "what is damaged may have been its own";
  EXPECT_EQ(gap(hit), 2u);
  EXPECT_TRUE(kept_aside());
}

TEST_F(LogDamage, AnEndedJobWithDamagedLinesCountsAsGone) {
  open();
  const auto hit = job();
  const auto holder = running(hit, 2);
  ASSERT_TRUE(append(hit, holder, 2, 2, {}, "turned"));
  const auto other = job();
  running(other, 3);
  ASSERT_TRUE(append(hit, holder, 4, 1, JobState::succeeded));
  log.reset();
  turn_over(where("turned"));
  reopen();
  EXPECT_EQ(all(hit), "not_found") << "the Store has its result";
  EXPECT_FALSE(state(hit));
  EXPECT_EQ(all(other), lines(1, 3));
}

TEST_F(LogDamage, AJobThatGoesOnBehindDamagedLinesIsCutThereAndAnnounced) {
  open();
  const auto hit = job();
  const auto holder = running(hit, 2);
  ASSERT_TRUE(append(hit, holder, 2, 2, {}, "turned"));
  ASSERT_TRUE(append(hit, holder, 4, 2));
  log.reset();
  turn_over(where("turned"));
  open();
  EXPECT_EQ(all(hit), lines(1, 2));
  EXPECT_EQ(gap(hit), 3u);
}

TEST_F(LogDamage, TheNextStartHasNothingMoreToReadOfIt) {
  open();
  const auto hit = job();
  running(hit, 2);
  const auto behind = job();
  running(behind, 3);
  log.reset();
  turn_over(file_head_bytes + 40);
  open();
  log->settle();
  EXPECT_EQ(SegmentLogLoss::segment(*log), 2u);
  testing::internal::CaptureStderr();
  reopen();
  EXPECT_EQ(testing::internal::GetCapturedStderr().find("events_damaged"), std::string::npos);
  EXPECT_EQ(all(behind), lines(1, 3));
}

TEST_F(LogDamage, AHeadThatIsDamagedCostsNoEntry) {
  open();
  const auto made = job();
  running(made, 3);
  log.reset();
  turn_over(1);
  open();
  EXPECT_EQ(all(made), lines(1, 3));
  EXPECT_TRUE(kept_aside());
}

TEST_F(LogDamage, TheLogSaysWhereItIs) {
  open();
  const auto hit = job();
  running(hit, 3);
  ended(job());
  log.reset();
  turn_over(where("delta"));
  testing::internal::CaptureStderr();
  open();
  const auto said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("events_damaged"), std::string::npos) << said;
  EXPECT_NE(said.find(segment(1)), std::string::npos) << said;
  EXPECT_NE(said.find("\"at\":"), std::string::npos) << said;
  EXPECT_NE(said.find(".log.damaged"), std::string::npos) << said;
}

/// Wherever it is: nobody is told words that were not said, and who lost some is told of a gap.
TEST_F(LogDamage, AnyTurnedByteIsEitherAnnouncedOrCostsNothing) {
  const SmallDisk quick(options.folder);
  const std::size_t step = quick.mounted() ? 11 : 97;  // a start waits for the disk
  open();
  std::vector<Job> ends, lives;
  for (int i = 0; i < 3; ++i) {
    ended(ends.emplace_back(job()), 4);
    const auto holder = running(lives.emplace_back(job()), 2);
    ended(ends.emplace_back(job()), 3);
    ASSERT_TRUE(append(lives.back(), holder, 2, 2));
  }
  log.reset();
  const std::string whole = bytes();
  for (std::size_t at = 0; at < whole.size(); at += step) {
    for (const auto& file : std::filesystem::directory_iterator(options.folder))
      std::filesystem::remove(file);
    std::ofstream(folder / "events/era") << "1 closed run\n";
    put(whole);
    turn_over(at);
    try {
      open();
    } catch (const std::runtime_error&) {
      ASSERT_LT(at, file_head_bytes) << "its head alone may name another version";
      continue;
    }
    for (std::size_t i = 0; i < ends.size(); ++i) {
      const auto said = all(ends[i]);
      const Seq last = i % 2 == 0 ? 4 : 3;
      const bool prefix = lines(1, last).starts_with(said);
      ASSERT_TRUE(said == "not_found" || prefix) << at << ": " << said;
    }
    for (const auto& live : lives) {
      const auto said = all(live);
      ASSERT_TRUE(said == "not_found" || lines(1, 4).starts_with(said)) << at << ": " << said;
      if (said == lines(1, 4)) continue;
      ASSERT_TRUE(gap(live)) << at << ": " << said;
    }
    log.reset();
  }
  log.reset();
}

}  // namespace
}  // namespace millrace::disk
