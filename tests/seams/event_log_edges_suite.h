#pragma once
#include <algorithm>

#include "shared/contract/event.h"
#include "tests/seams/event_log_world.h"

/// What every EventLog promises at its edges: answers that were missed, input it must refuse, logs
/// that grow too long; see `event_log_suite.h`.
namespace millrace {

// --- answers that were missed

TEST_P(EventLogSuite, AHolderThatMissedAnAnswerHearsWhereItsLogEnds) {
  const auto made = job();
  const auto holder = running(made, 4);
  const auto begun = begin(made, holder, 2);
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->outcome, Begun::Outcome::granted);
  EXPECT_EQ(begun->last, 4u);
  EXPECT_FALSE(begun->gap_from);
}

TEST_P(EventLogSuite, AGapIsToldUntilSomethingIsWritten) {
  const auto made = job();
  const auto holder = running(made, 3);
  world->lose(made.id);
  const auto first = begin(made, holder, 3, true);
  const auto again = begin(made, holder, 3, true);
  ASSERT_TRUE(first && again);
  ASSERT_TRUE(first->gap_from);
  EXPECT_EQ(again->gap_from, first->gap_from);
  EXPECT_EQ(again->last, first->last);
  ASSERT_TRUE(append(made, holder, first->last, 1));
  EXPECT_FALSE(begin(made, holder, first->last + 1, true)->gap_from);
}

TEST_P(EventLogSuite, AGapThatItsHolderDidNotLiveToTellIsToldToTheNext) {
  const auto made = job();
  const auto holder = running(made, 3);
  world->lose(made.id);
  const auto first = begin(made, holder, 3, true);
  ASSERT_TRUE(first && first->gap_from);
  const auto next = take_over(made, token());
  ASSERT_TRUE(next);
  EXPECT_EQ(next->gap_from, first->gap_from);
}

TEST_P(EventLogSuite, AHolderThatWasReplacedAfterALossIsFenced) {
  const auto made = job();
  const auto first = running(made, 3);
  world->lose(made.id);
  ASSERT_TRUE(begin(made, token(), 0, true));
  EXPECT_EQ(append(made, first, 3, 1).error(), Errc::fenced);
  EXPECT_EQ(begin(made, first, 3, true)->outcome, Begun::Outcome::busy);
}

TEST_P(EventLogSuite, AJobLostBeforeItsFirstBeginHasItsQueuedLineAgain) {
  const auto made = job();
  ASSERT_TRUE(accept(made));
  world->lose(made.id);
  const auto holder = token();
  EXPECT_EQ(begin(made, holder)->last, 1u);
  ASSERT_TRUE(append(made, holder, 1, 1));
  const auto page = read(made);
  ASSERT_TRUE(page);
  EXPECT_TRUE(page->lines.starts_with("1 queued ")) << page->lines;
  EXPECT_TRUE(page->lines.ends_with(line(2)));
}

TEST_P(EventLogSuite, AJobThatWasBegunAndGivenBackIsNotWithdrawn) {
  const auto made = job();
  const auto holder = running(made);
  ASSERT_TRUE(append(made, holder, 1, 0, JobState::queued));
  const auto withdrawn = loop.get(log->withdraw(made));
  EXPECT_TRUE(withdrawn);
  EXPECT_TRUE(state(made));
}

// --- what it must refuse

TEST_P(EventLogSuite, LinesThatAreNotWhatTheAppendSaysAreRefusedWhole) {
  const auto made = job();
  const auto holder = running(made);
  const auto good = lines(2, 4);
  const auto refused = [&](std::uint32_t count, const std::string& text) {
    const auto appended = append_lines(made, holder, 1, count, text);
    return !appended && appended.error() == Errc::invalid;
  };
  EXPECT_TRUE(refused(2, good));
  EXPECT_TRUE(refused(4, good));
  EXPECT_TRUE(refused(0, good));
  EXPECT_TRUE(refused(3, good.substr(0, good.size() - 1)));
  EXPECT_TRUE(refused(2, line(2) + line(2)));
  EXPECT_TRUE(refused(2, line(3) + line(4)));
  EXPECT_TRUE(refused(1, "no line\n"));
  EXPECT_EQ(read(made)->lines, line(1, "queued"));
  EXPECT_TRUE(append_lines(made, holder, 1, 3, good));
}

// --- listening

TEST_P(EventLogSuite, ANewWatcherDisturbsNoOther) {
  const auto made = job();
  const auto holder = running(made);
  HeardJob first(loop.clock());
  HeardJob second(loop.clock());
  log->watch(made.id, first);
  ASSERT_TRUE(eventually(first.changed(), [&] { return first.uncertain == 1; }));
  log->watch(made.id, second);
  ASSERT_TRUE(eventually(second.changed(), [&] { return second.uncertain == 1; }));
  ASSERT_TRUE(append(made, holder, 1, 1));
  ASSERT_TRUE(eventually(first.changed(), [&] { return first.lines == line(2); }));
  EXPECT_EQ(first.uncertain, 1);
  log->unwatch(made.id, first);
  log->unwatch(made.id, second);
}

TEST_P(EventLogSuite, AJobThatIsWatchedBeforeItIsThereIsHeardFromItsFirstEvent) {
  const auto accepted = job();
  const auto begun = job();
  for (const Job& made : {accepted, begun}) {
    HeardJob heard(loop.clock());
    log->watch(made.id, heard);
    ASSERT_TRUE(eventually(heard.changed(), [&] { return heard.uncertain == 1; }));
    if (made.id == accepted.id) {
      ASSERT_TRUE(accept(made));
    } else {
      ASSERT_TRUE(begin(made, token()));
    }
    ASSERT_TRUE(eventually(heard.changed(), [&] { return !heard.lines.empty(); }));
    EXPECT_TRUE(heard.lines.starts_with("1 queued ")) << heard.lines;
    log->unwatch(made.id, heard);
  }
}

TEST_P(EventLogSuite, AJobThatIsBegunWithoutARecordIsAnnouncedToItsSession) {
  const auto made = job("s");
  HeardSession heard(loop.clock());
  log->watch_session(tenant, "s", heard);
  ASSERT_TRUE(eventually(heard.changed(), [&] { return heard.uncertain == 1; }));
  ASSERT_TRUE(begin(made, token()));
  ASSERT_TRUE(eventually(heard.changed(), [&] { return !heard.jobs.empty(); }));
  EXPECT_EQ(heard.jobs, std::vector{made.id});
  log->unwatch_session(tenant, "s", heard);
}

// --- long logs

TEST_P(EventLogSuite, LongEventsAreReadWholePageAfterPage) {
  const auto made = job();
  const auto holder = running(made);
  const std::string text(limits::append_bytes_max - 1000, 'y');
  constexpr Seq end = 17;
  for (Seq last = 1; last < end; ++last)
    ASSERT_TRUE(append_lines(made, holder, last, 1, line(last + 1, "delta", text)));
  Seq after = 1;
  for (bool more = true; more;) {
    const auto page = read(made, after);
    ASSERT_TRUE(page);
    more = page->more;
    EventLine event;
    for (std::string_view rest = page->lines; next_event(rest, event); ++after) {
      ASSERT_EQ(event.seq, after + 1);
      ASSERT_EQ(event.whole, line(event.seq, "delta", text));
    }
  }
  EXPECT_EQ(after, end);
}

TEST_P(EventLogSuite, ALogThatGrowsTooLongKeepsItsTextAndItsEnd) {
  const auto made = job();
  const auto holder = running(made);
  TextFold whole;
  Seq last = 1;
  const auto write = [&](std::uint32_t count) {
    std::string text;
    for (Seq seq = last + 1; seq <= last + count; ++seq)
      text += line(seq, "delta", std::to_string(seq) + " ");
    ASSERT_TRUE(append_lines(made, holder, last, count, text));
    EventLine event;
    for (std::string_view rest = text; next_event(rest, event);) whole.take(event);
    last += count;
  };
  while (last <= limits::log_events_max) write(limits::append_events_max);
  write(3);
  const auto is_short = [&] { return read(made)->lines.find(" snapshot ") != std::string::npos; };
  ASSERT_TRUE(until(is_short));
  write(3);

  TextFold kept;
  std::size_t events = 0;
  bool snapshot = false;
  std::string first_type;
  for (bool more = true; more;) {
    const auto page = read(made, kept.last());
    ASSERT_TRUE(page);
    more = page->more;
    EventLine event;
    for (std::string_view rest = page->lines; next_event(rest, event); ++events) {
      EXPECT_GT(event.seq, kept.last());
      if (events == 0) first_type = event.type;
      snapshot |= event.type == "snapshot";
      kept.take(event);
    }
  }
  EXPECT_LT(events, limits::log_events_max / 2);
  EXPECT_TRUE(snapshot);
  EXPECT_EQ(first_type, "queued") << "only text is folded";
  EXPECT_EQ(kept.last(), last);
  EXPECT_TRUE(kept.text() == whole.text());
}

}  // namespace millrace
