#include <algorithm>
#include <fstream>

#include "tests/shared/disk/driven_log.h"

namespace millrace::disk {
namespace {

/// What a process finds that opens the folder of another.
class LogRestart : public DrivenLog {};

TEST_F(LogRestart, EveryEventIsThereAgain) {
  open();
  const auto queued = job();
  const auto live = job();
  const auto over = job();
  ASSERT_TRUE(accept(queued));
  const auto holder = running(live, 7);
  ended(over, 5);
  reopen();
  EXPECT_EQ(all(queued), lines(1, 1));
  EXPECT_EQ(all(live), lines(1, 7));
  EXPECT_EQ(all(over), lines(1, 5));
  EXPECT_EQ(state(over)->state, JobState::succeeded);
  EXPECT_EQ(begin(over, token())->outcome, Begun::Outcome::terminal);
  EXPECT_TRUE(append(live, holder, 7, 1)) << "nobody took the lease";
  EXPECT_EQ(all(live), lines(1, 8));
}

TEST_F(LogRestart, WhatAJobWasAcceptedAsIsThereAgain) {
  open();
  auto made = job("s");
  made.kind = "analysis";
  ASSERT_TRUE(accept(made));
  reopen();
  const auto stands = state(made);
  ASSERT_TRUE(stands);
  EXPECT_EQ(stands->tenant, "tenant");
  EXPECT_EQ(stands->session, "s");
  EXPECT_EQ(stands->kind, "analysis");
  EXPECT_EQ(stands->created_at, made.created_at);
  EXPECT_EQ(stands->deadline, made.deadline);
  EXPECT_EQ(accept(made)->fingerprint, "print");
  EXPECT_EQ(log->session_jobs("tenant", "s"), std::vector{made.id});
}

TEST_F(LogRestart, ALeaseLapsesWithItsProcessAndCountsALostRun) {
  open();
  const auto made = job();
  running(made, 3);
  reopen();
  EXPECT_FALSE(state(made)->held);
  const auto begun = begin(made, token(), 0, true);
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->outcome, Begun::Outcome::granted);
  EXPECT_EQ(begun->lost_runs, 1u);
  EXPECT_EQ(begun->last, 3u);
  EXPECT_FALSE(begun->gap_from) << "the page cache outlives a process";
}

TEST_F(LogRestart, CountsWishesAndStatesAreThereAgain) {
  open();
  const auto made = job();
  const auto first = running(made);
  ASSERT_TRUE(append(made, first, 1, 1, JobState::retrying));
  ASSERT_TRUE(log->cancel(made.id, at));
  reopen();
  EXPECT_EQ(state(made)->state, JobState::retrying);
  const auto begun = begin(made, token(), 0, true);
  EXPECT_EQ(begun->errors, 1u);
  EXPECT_EQ(begun->lost_runs, 0u);
  EXPECT_TRUE(begun->cancel_wanted);
}

TEST_F(LogRestart, AWithdrawnJobStaysAway) {
  open();
  const auto made = job("s");
  ASSERT_TRUE(accept(made));
  ASSERT_TRUE(log->withdraw(made.id));
  reopen();
  EXPECT_FALSE(state(made));
  EXPECT_TRUE(log->session_jobs("tenant", "s").empty());
}

TEST_F(LogRestart, AnEndedJobAnswersARepeatedAppend) {
  open();
  const auto made = job();
  const auto holder = running(made);
  ASSERT_TRUE(append(made, holder, 1, 2, JobState::failed));
  reopen();
  EXPECT_TRUE(append(made, holder, 1, 2, JobState::failed));
  EXPECT_EQ(append(made, holder, 3, 1).error(), Errc::fenced);
  EXPECT_EQ(append(made, token(), 1, 2, JobState::failed).error(), Errc::fenced);
  EXPECT_EQ(all(made), lines(1, 3));
}

TEST_F(LogRestart, AShortenedLogStaysShort) {
  options.log_events_max = 40;
  open();
  const auto made = job();
  const auto holder = running(made);
  for (Seq last = 1; last < 61; last += 10) ASSERT_TRUE(append(made, holder, last, 10));
  log->settle();
  const auto before = all(made);
  EXPECT_NE(before.find(" snapshot "), before.npos);
  reopen();
  EXPECT_EQ(all(made), before);
  ASSERT_TRUE(append(made, holder, 61, 1));
  EXPECT_EQ(all(made), before + lines(62, 62));
}

TEST_F(LogRestart, TheStoreItBelongsToIsKnownAgain) {
  open();
  EXPECT_EQ(log->claim_store("one"), "one");
  reopen();
  EXPECT_EQ(log->claim_store("two"), "one");
}

TEST_F(LogRestart, AFolderIsHeldByOneAtATime) {
  open();
  EXPECT_THROW(SegmentLog(options, at.wall), std::runtime_error);
  log.reset();
  EXPECT_NO_THROW(open());
}

// --- a machine that went down

TEST_F(LogRestart, AfterAPowerCutABegunJobIsContinuedWithAGap) {
  open();
  const auto made = job();
  running(made, 4);
  reopen_after_power_cut();
  const auto begun = begin(made, token(), 0, true);
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->gap_from, 5u);
  EXPECT_GT(begun->last, 1'000'000u);
  reopen();
  const auto again = begin(made, token(), 0, true);
  EXPECT_EQ(again->gap_from, 5u) << "nobody has written it yet";
}

TEST_F(LogRestart, AfterAPowerCutAJobNobodyBeganHasNoGap) {
  open();
  const auto made = job();
  ASSERT_TRUE(accept(made));
  reopen_after_power_cut();
  const auto begun = begin(made, token());
  EXPECT_EQ(begun->last, 1u);
  EXPECT_FALSE(begun->gap_from);
}

TEST_F(LogRestart, TheDoubtOfAPowerCutOutlivesTheNextStart) {
  open();
  const auto made = job();
  running(made, 4);
  reopen_after_power_cut();
  reopen();
  EXPECT_TRUE(begin(made, token(), 0, true)->gap_from);
}

TEST_F(LogRestart, AJobThatAPowerCutTookIsInItsSessionAgainOnceItIsBegun) {
  open();
  const auto made = job("s");
  ASSERT_TRUE(begin(made, token(), 0, true)->gap_from);
  EXPECT_EQ(log->session_jobs("tenant", "s"), std::vector{made.id});
  reopen();
  EXPECT_EQ(log->session_jobs("tenant", "s"), std::vector{made.id});
}

TEST_F(LogRestart, AHolderFromBeforeAPowerCutMustBeginAgain) {
  open();
  const auto made = job();
  const auto holder = running(made, 4);
  reopen_after_power_cut();
  EXPECT_EQ(append(made, holder, 4, 1).error(), Errc::lost);
  EXPECT_FALSE(begin(made, holder, 4, true)->gap_from) << "it knows that nothing is missing";
  EXPECT_TRUE(append(made, holder, 4, 1));
}

TEST_F(LogRestart, AMachineThatWentDownAfterACleanEndLostNothing) {
  open();
  const auto made = job();
  running(made, 4);
  log.reset();
  options.machine_run = "another";
  open();
  EXPECT_FALSE(begin(made, token(), 0, true)->gap_from);
}

TEST_F(LogRestart, ATornTailIsCutAndWrittenOver) {
  open();
  const auto made = job();
  const auto holder = running(made, 4);
  ASSERT_TRUE(append(made, holder, 4, 1));
  log.reset();
  std::filesystem::resize_file(segment(1), std::filesystem::file_size(segment(1)) - 3);
  open();
  EXPECT_EQ(all(made), lines(1, 4));
  ASSERT_TRUE(append(made, holder, 4, 2));
  const auto other = job();
  running(other, 3);
  reopen();
  EXPECT_EQ(all(made), lines(1, 6));
  EXPECT_EQ(all(other), lines(1, 3));
}

TEST_F(LogRestart, ATornTailOfAnyLengthLosesNoEventBeforeIt) {
  open();
  const auto made = job();
  const auto holder = running(made);
  std::vector<std::uintmax_t> sizes;  // of the file once event n + 1 was in it
  for (Seq last = 1; last < 6; ++last) {
    sizes.push_back(std::filesystem::file_size(segment(1)));
    ASSERT_TRUE(append(made, holder, last, 1));
  }
  log.reset();
  const std::string whole = folder / "whole";
  std::filesystem::copy(segment(1), whole);
  for (auto size = std::filesystem::file_size(whole); size >= sizes.front(); size -= 7) {
    std::filesystem::copy(whole, segment(1), std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(segment(1), size);
    open();
    const auto there =
        static_cast<Seq>(std::ranges::count_if(sizes, [&](auto s) { return s <= size; }));
    const bool last_too = size == std::filesystem::file_size(whole);
    ASSERT_EQ(all(made), lines(1, there + (last_too ? 1 : 0))) << size;
    log.reset();
  }
}

TEST_F(LogRestart, BytesTurnedOverAreCutWithAllOfTheJobThatFollowsAndAnnounced) {
  open();
  const auto made = job();
  const auto holder = running(made, 2);
  ASSERT_TRUE(append(made, holder, 2, 1, {}, "turned"));
  ASSERT_TRUE(append(made, holder, 3, 1));
  log.reset();
  std::string text;
  {
    std::ifstream in(segment(1), std::ios::binary);
    text.assign(std::istreambuf_iterator<char>(in), {});
  }
  text[text.find("turned")] = 'T';
  std::ofstream(segment(1), std::ios::binary) << text;
  open();
  EXPECT_EQ(all(made), lines(1, 2));
  EXPECT_EQ(begin(made, token(), 0, true)->gap_from, 3u);
}

TEST_F(LogRestart, LinesThatDoNotFollowAreLeftOutAndAnnounced) {
  open();
  const auto made = job();
  const auto holder = running(made, 3);
  const auto whole = std::filesystem::file_size(segment(1));
  ASSERT_TRUE(append(made, holder, 3, 2));
  log.reset();
  // A power cut took the end of one segment and not the beginning of the next.
  std::filesystem::resize_file(segment(1), whole);
  {
    const Folder files(options.folder);
    SegmentWriter next(files, make_segment(files, 2), fresh_end(2));
    const std::string later = lines(6, 7);
    ASSERT_TRUE(next.write(
        {.kind = Kind::lines, .id = made.id, .expected = 5, .count = 2, .lines = later}));
  }
  open();
  EXPECT_EQ(all(made), lines(1, 3));
  EXPECT_EQ(begin(made, token(), 0, true)->gap_from, 4u);
}

TEST_F(LogRestart, ASegmentOfAnotherVersionIsLeftAlone) {
  open();
  log.reset();
  {
    std::fstream file(segment(1), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(8);
    file.put(9);
  }
  EXPECT_THROW(open(), std::runtime_error);
  EXPECT_GT(std::filesystem::file_size(segment(1)), 16u);
}

}  // namespace
}  // namespace millrace::disk
