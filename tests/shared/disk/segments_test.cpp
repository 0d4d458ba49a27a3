#include <algorithm>
#include <set>

#include "tests/shared/disk/driven_log.h"

namespace millrace::disk {
namespace {

/// What becomes of segments: they are sealed, restated, removed.
class LogSegments : public DrivenLog {
 protected:
  LogSegments() { options.segment_bytes = 8 * 1024; }

  /// Jobs that come and go until the log writes to segment `number`.
  void fill_up_to(std::uint32_t number) {
    while (SegmentLogLoss::segment(*log) < number) {
      gone.push_back(job());
      ended(gone.back(), 4);
      log->settle();
    }
  }
  std::set<std::string> files() {
    std::set<std::string> names;
    for (const auto& found : std::filesystem::directory_iterator(folder / "events"))
      names.insert(found.path().filename().string());
    return names;
  }

  std::vector<Job> gone;
};

TEST_F(LogSegments, EndedJobsAreFoundByTheIndexOfTheirSegment) {
  open();
  fill_up_to(5);
  EXPECT_LT(SegmentLogLoss::ended(*log), gone.size() / 3) << "the others are on disk alone";
  for (int round = 0; round < 2; ++round) {
    for (const Job& made : gone) {
      ASSERT_EQ(all(made), lines(1, 4));
      ASSERT_EQ(state(made)->state, JobState::succeeded);
      ASSERT_EQ(accept(made)->fingerprint, "print");
      ASSERT_EQ(begin(made, token())->outcome, Begun::Outcome::terminal);
    }
    EXPECT_EQ(SegmentLogLoss::live(*log), 0u);
    EXPECT_EQ(log->read(job().id, 0, at.wall, Patience::any).error(), Errc::not_found);
    reopen();
  }
}

TEST_F(LogSegments, JobsWhoseIdsTellNoTimeAreFoundToo) {
  open();
  std::vector<Job> made;
  for (int i = 0; i < 100; ++i) {
    made.push_back(job());
    made.back().id = derived_job_id("tenant", std::to_string(i));
    ended(made.back(), 3);
    log->settle();
  }
  for (const Job& one : made) ASSERT_EQ(all(one), lines(1, 3));
  EXPECT_EQ(log->read(derived_job_id("tenant", "other"), 0, at.wall, Patience::any).error(),
            Errc::not_found);
}

TEST_F(LogSegments, AJobThatLivesThroughManySegmentsIsReadWhole) {
  open();
  const auto made = job("s");
  const auto holder = running(made);
  Seq last = 1;
  for (std::uint32_t number = 2; number < 8; ++number, last += 3) {
    ASSERT_TRUE(append(made, holder, last, 3));
    fill_up_to(number);
  }
  EXPECT_EQ(all(made), lines(1, last));
  reopen();
  EXPECT_EQ(all(made), lines(1, last));
  EXPECT_EQ(log->session_jobs("tenant", "s"), std::vector{made.id});
  ASSERT_TRUE(append(made, holder, last, 1, JobState::succeeded));
  fill_up_to(9);
  EXPECT_EQ(all(made), lines(1, last + 1));
}

TEST_F(LogSegments, AStartReadsWhereAllLiveJobsAreRestated) {
  open();
  const auto queued = job();
  const auto begun = job();
  ASSERT_TRUE(accept(queued));
  const auto holder = running(begun, 3);
  fill_up_to(6);
  log.reset();
  // What an older segment holds is not looked at: its lines are, when they are read.
  for (std::uint32_t number = 2; number < 6; ++number)
    std::filesystem::resize_file(segment(number), 16);
  open();
  EXPECT_EQ(all(queued), lines(1, 1));
  EXPECT_EQ(all(begun), lines(1, 3));
  EXPECT_TRUE(append(begun, holder, 3, 1));
}

TEST_F(LogSegments, AMissingOrBrokenIndexIsMadeAgain) {
  open();
  fill_up_to(5);
  log.reset();
  std::filesystem::remove(folder / "events" + "/" + Folder::index_name(2));
  std::filesystem::resize_file(folder / "events" + "/" + Folder::index_name(3), 60);
  open();
  log->settle();
  EXPECT_TRUE(files().contains(Folder::index_name(2)));
  for (const Job& made : gone) ASSERT_EQ(all(made), lines(1, 4));
  reopen();
  for (const Job& made : gone) ASSERT_EQ(all(made), lines(1, 4));
}

TEST_F(LogSegments, AMissingIndexBringsNoJobBackThatEndedLater) {
  open();
  fill_up_to(2);
  const auto made = job();
  const auto holder = running(made, 3);
  fill_up_to(4);
  ASSERT_TRUE(append(made, holder, 3, 1, JobState::succeeded));
  fill_up_to(6);
  log.reset();
  std::filesystem::remove(folder / "events" + "/" + Folder::index_name(2));
  open();
  EXPECT_EQ(state(made)->state, JobState::succeeded);
  EXPECT_EQ(all(made), lines(1, 4));
}

TEST_F(LogSegments, AnEndedJobIsKnownForItsTimeAndNotLonger) {
  open();
  const auto made = job();
  ended(made, 3);
  pass(options.events_ttl - 1ms);
  EXPECT_EQ(all(made), lines(1, 3));
  pass(1ms);
  EXPECT_FALSE(state(made));
  EXPECT_EQ(log->read(made.id, 0, at.wall, Patience::any).error(), Errc::not_found);
  EXPECT_TRUE(accept(made)->fresh);
}

TEST_F(LogSegments, SegmentsWhoseJobsHaveExpiredAreRemoved) {
  open();
  fill_up_to(4);
  pass(options.events_ttl / 2);
  const std::size_t older = gone.size();
  fill_up_to(7);
  pass(options.events_ttl / 2);
  log->purge_soon(at.wall);
  log->settle();
  EXPECT_FALSE(files().contains(Folder::segment_name(1)));
  EXPECT_FALSE(files().contains(Folder::index_name(1)));
  EXPECT_TRUE(files().contains(Folder::segment_name(5)));
  for (std::size_t i = older; i < gone.size(); ++i) ASSERT_EQ(all(gone[i]), lines(1, 4));
  pass(options.events_ttl);
  log->purge_soon(at.wall);
  log->settle();
  EXPECT_EQ(files().size(), 2u) << "the segment being written, and the era";
}

TEST_F(LogSegments, AJobThatLivesLongKeepsNoSegmentButItsOwnEvents) {
  open();
  const auto made = job();
  const auto holder = running(made, 5);
  fill_up_to(3);
  ASSERT_TRUE(append(made, holder, 5, 5));
  fill_up_to(6);
  pass(options.events_ttl);
  log->purge_soon(at.wall);
  log->settle();
  EXPECT_EQ(files().size(), 2u);
  EXPECT_EQ(all(made), lines(1, 10));
  ASSERT_TRUE(append(made, holder, 10, 1));
  reopen();
  EXPECT_EQ(all(made), lines(1, 11));
}

TEST_F(LogSegments, AnEndedJobKeepsTheSegmentsItsEventsAreIn) {
  open();
  const auto made = job();
  const auto holder = running(made, 5);
  fill_up_to(4);
  pass(options.events_ttl / 2);
  ASSERT_TRUE(append(made, holder, 5, 1, JobState::succeeded));
  fill_up_to(7);
  pass(options.events_ttl / 2);
  log->purge_soon(at.wall);
  log->settle();
  EXPECT_EQ(all(made), lines(1, 6));
}

TEST_F(LogSegments, AHundredThousandEndedJobsStayOnDisk) {
  options.segment_bytes = 1024 * 1024;
  open();
  std::vector<Job> some;
  for (int i = 0; i < 100'000; ++i) {
    const auto made = job();
    ended(made, 3);
    if (i % 1000 == 0) some.push_back(made);
  }
  log->settle();
  EXPECT_EQ(SegmentLogLoss::live(*log), 0u);
  EXPECT_LT(SegmentLogLoss::ended(*log), 10'000u);
  for (const Job& made : some) ASSERT_EQ(all(made), lines(1, 3));
  reopen();
  EXPECT_LT(SegmentLogLoss::ended(*log), 10'000u);
  for (const Job& made : some) ASSERT_EQ(all(made), lines(1, 3));
}

TEST_F(LogSegments, ALogIsShortenedWhileItGrowsAndReadFromAnyEvent) {
  options.log_events_max = 100;
  open();
  const auto made = job();
  const auto holder = running(made);
  constexpr Seq end = 5000;
  TextFold whole;
  for (Seq last = 1; last < end; ++last) {
    const bool text = last % 7 != 0;
    const auto number = std::to_string(last + 1);
    const std::string line =
        number + (text ? " delta {\"text\":\"" : " status {\"message\":\"") + number + " \"}\n";
    ASSERT_TRUE(log->append(
        {.id = made.id, .token = holder, .expected = last, .count = 1, .lines = line, .state = {}},
        at));
    std::string_view rest = line;
    EventLine event;
    next_event(rest, event);
    whole.take(event);
  }
  log->settle();
  for (int round = 0; round < 2; ++round) {
    const std::string kept = all(made);
    TextFold fold;
    std::size_t count = 0;
    EventLine event;
    for (std::string_view rest = kept; next_event(rest, event); ++count) {
      ASSERT_GT(event.seq, fold.last());
      fold.take(event);
      const auto page = log->read(made.id, event.seq, at.wall, Patience::any);
      ASSERT_TRUE(page);
      ASSERT_TRUE(rest.starts_with(page->lines));
      ASSERT_EQ(page->lines.empty(), rest.empty());
    }
    EXPECT_EQ(fold.last(), end);
    EXPECT_TRUE(fold.text() == whole.text());
    EXPECT_LT(count, 500u);
    reopen();
  }
}

TEST_F(LogSegments, LinesLostFromUnderAnEndedJobMakeItUnknown) {
  open();
  const auto made = job();
  const auto holder = running(made, 5);
  fill_up_to(3);
  ASSERT_TRUE(append(made, holder, 5, 1, JobState::succeeded));
  log.reset();
  std::filesystem::resize_file(segment(1), 200);
  open();
  EXPECT_EQ(log->read(made.id, 0, at.wall, Patience::any).error(), Errc::not_found);
  EXPECT_EQ(begin(made, token())->outcome, Begun::Outcome::terminal);
}

TEST_F(LogSegments, BytesThatAreNotTheLinesWrittenAreNotGivenToReaders) {
  open();
  const auto made = job();
  const auto holder = running(made, 5);
  fill_up_to(3);
  ASSERT_TRUE(append(made, holder, 5, 1, JobState::succeeded));
  const auto size = std::filesystem::file_size(segment(1));
  std::filesystem::resize_file(segment(1), 16);
  std::filesystem::resize_file(segment(1), size);  // zeroes
  EXPECT_EQ(log->read(made.id, 0, at.wall, Patience::any).error(), Errc::not_found);
}

TEST_F(LogSegments, LinesLostFromUnderALiveJobCutItAndAreAnnounced) {
  open();
  const auto made = job();
  const auto holder = running(made, 3);
  fill_up_to(2);
  ASSERT_TRUE(append(made, holder, 3, 2));
  fill_up_to(3);
  ASSERT_TRUE(append(made, holder, 5, 2));
  log.reset();
  std::filesystem::resize_file(segment(2), 200);
  open();
  EXPECT_EQ(all(made), lines(1, 3));
  const auto begun = begin(made, token(), 0, true);
  EXPECT_EQ(begun->gap_from, 4u);
}

}  // namespace
}  // namespace millrace::disk
