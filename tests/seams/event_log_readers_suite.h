#pragma once
#include "shared/contract/event.h"
#include "tests/seams/event_log_world.h"

/// What every EventLog promises to those who read, listen and cancel, and what it says after it
/// has lost something; see `event_log_suite.h`.
namespace millrace {

// --- reading

TEST_P(EventLogSuite, AReaderGoesOnFromAnyEvent) {
  const auto made = job();
  running(made, 9);
  for (Seq after = 1; after <= 9; ++after) {
    const auto page = read(made, after);
    ASSERT_TRUE(page);
    EXPECT_EQ(page->lines, lines(after + 1, 9));
    EXPECT_EQ(page->last, 9u);
    EXPECT_FALSE(page->more);
  }
  EXPECT_EQ(read(made, 12)->lines, "");
  EXPECT_EQ(read(job()).error(), Errc::not_found);
}

TEST_P(EventLogSuite, ALongLogIsReadInPages) {
  const auto made = job();
  const auto holder = running(made);
  const auto page_events = static_cast<Seq>(limits::log_page_events);
  const Seq last = 2 * page_events;
  for (Seq at = 1; at < last; at += 100) {
    const auto count = static_cast<std::uint32_t>(std::min<Seq>(100, last - at));
    ASSERT_TRUE(append(made, holder, at, count));
  }
  const auto first = read(made);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->lines, line(1, "queued") + lines(2, page_events));
  EXPECT_TRUE(first->more);
  EXPECT_EQ(first->last, last);
  const auto second = read(made, page_events);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->lines, lines(page_events + 1, last));
  EXPECT_FALSE(second->more);
}

TEST_P(EventLogSuite, ManyStatesComeInTheOrderAsked) {
  const auto queued = job();
  ASSERT_TRUE(accept(queued));
  const auto ended = job();
  const auto holder = running(ended);
  ASSERT_TRUE(append(ended, holder, 1, 1, JobState::failed));
  const std::vector<JobId> ids{ended.id, job().id, queued.id, ended.id};
  const auto found = loop.get(log->states(ids));
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 4u);
  EXPECT_EQ((*found)[0]->state, JobState::failed);
  EXPECT_EQ((*found)[0]->last, 2u);
  EXPECT_FALSE((*found)[1]);
  EXPECT_EQ((*found)[2]->state, JobState::queued);
  EXPECT_EQ((*found)[3]->state, JobState::failed);
  EXPECT_TRUE(loop.get(log->states({}))->empty());
}

// --- listening

TEST_P(EventLogSuite, AWatcherHearsOfItsSubscriptionAndThenEveryEventInOrder) {
  const auto made = job();
  const auto holder = running(made);
  HeardJob heard(loop.clock());
  log->watch(made.id, heard);
  ASSERT_TRUE(eventually(heard.changed(), [&] { return heard.uncertain == 1; }));
  for (Seq at = 1; at < 10; at += 3) ASSERT_TRUE(append(made, holder, at, 3));
  ASSERT_TRUE(append(made, holder, 10, 1, JobState::succeeded));
  ASSERT_TRUE(
      eventually(heard.changed(), [&] { return heard.lines.size() >= lines(2, 11).size(); }));
  EXPECT_EQ(heard.lines, lines(2, 11));
  EXPECT_EQ(heard.uncertain, 1);
  log->unwatch(made.id, heard);
}

TEST_P(EventLogSuite, NothingIsLostBetweenTheSubscriptionAndTheRead) {
  const auto made = job();
  const auto holder = running(made);
  HeardJob heard(loop.clock());
  log->watch(made.id, heard);
  // A writer that never pauses, while the reader subscribes and then reads.
  Seq at = 1;
  while (heard.uncertain == 0) ASSERT_TRUE(append(made, holder, at++, 1));
  const auto page = read(made, 1);
  ASSERT_TRUE(page);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(append(made, holder, at++, 1));
  ASSERT_TRUE(eventually(heard.changed(), [&] { return heard.lines.ends_with(line(at)); }));
  std::string seen = page->lines;
  std::string_view live = heard.lines;
  EventLine event;
  while (next_event(live, event))
    if (event.seq > page->last) seen += event.whole;
  EXPECT_EQ(seen, lines(2, at));
  log->unwatch(made.id, heard);
}

TEST_P(EventLogSuite, TwoWatchersOfOneJobBothHearAndOneMayLeave) {
  const auto made = job();
  const auto holder = running(made);
  HeardJob first(loop.clock());
  HeardJob second(loop.clock());
  log->watch(made.id, first);
  ASSERT_TRUE(eventually(first.changed(), [&] { return first.uncertain > 0; }));
  log->watch(made.id, second);
  ASSERT_TRUE(eventually(second.changed(), [&] { return second.uncertain > 0; }));
  ASSERT_TRUE(append(made, holder, 1, 1));
  ASSERT_TRUE(eventually(first.changed(), [&] { return !first.lines.empty(); }));
  ASSERT_TRUE(eventually(second.changed(), [&] { return !second.lines.empty(); }));
  log->unwatch(made.id, first);
  ASSERT_TRUE(append(made, holder, 2, 1));
  ASSERT_TRUE(eventually(second.changed(), [&] { return second.lines == lines(2, 3); }));
  EXPECT_EQ(first.lines, lines(2, 2));
  log->unwatch(made.id, second);
}

TEST_P(EventLogSuite, AWatcherMayLeaveAndComeBackWhileItIsTold) {
  const auto made = job();
  const auto holder = running(made);
  HeardJob calm(loop.clock());
  HeardJob leaves(loop.clock());
  HeardJob stays(loop.clock());
  log->watch(made.id, calm);
  log->watch(made.id, leaves);
  log->watch(made.id, stays);
  ASSERT_TRUE(eventually(stays.changed(), [&] { return stays.uncertain && leaves.uncertain; }));
  leaves.on_each = [&] { log->unwatch(made.id, leaves); };
  stays.on_each = [&] {
    log->unwatch(made.id, stays);
    log->watch(made.id, stays);
  };
  for (Seq at = 1; at < 4; ++at) {
    const int before = stays.uncertain;
    ASSERT_TRUE(append(made, holder, at, 1));
    ASSERT_TRUE(eventually(stays.changed(), [&] { return stays.lines == lines(2, at + 1); }));
    ASSERT_TRUE(eventually(stays.changed(), [&] { return stays.uncertain > before; }));
  }
  EXPECT_EQ(leaves.lines, line(2));
  EXPECT_EQ(stays.lines, lines(2, 4));
  EXPECT_EQ(calm.lines, lines(2, 4));
  log->unwatch(made.id, stays);
  log->unwatch(made.id, calm);
}

TEST_P(EventLogSuite, WhatAnotherProcessWritesIsHeardHere) {
  const auto made = job();
  HeardJob heard(loop.clock());
  EventLog& other = open();
  other.watch(made.id, heard);
  ASSERT_TRUE(eventually(heard.changed(), [&] { return heard.uncertain == 1; }));
  const auto holder = running(made);
  ASSERT_TRUE(append(made, holder, 1, 2));
  ASSERT_TRUE(eventually(heard.changed(), [&] { return heard.lines.ends_with(lines(2, 3)); }));
  EXPECT_EQ(loop.get(other.read(made.id, 1))->lines, lines(2, 3));
  other.unwatch(made.id, heard);
}

// --- cancelling

TEST_P(EventLogSuite, AWishToCancelIsKeptAndHeardByWhoeverBeginsOrWrites) {
  const auto made = job();
  ASSERT_TRUE(accept(made));
  const auto wished = loop.get(log->cancel(made.id));
  ASSERT_TRUE(wished);
  EXPECT_EQ(wished->state, JobState::queued);
  EXPECT_TRUE(wished->cancel_wanted);
  EXPECT_FALSE(wished->held);
  const auto holder = token();
  EXPECT_TRUE(begin(made, holder)->cancel_wanted);
  EXPECT_TRUE(append(made, holder, 1, 1)->cancel_wanted);
  EXPECT_TRUE(append(made, holder, 2, 0)->cancel_wanted);
  EXPECT_EQ(loop.get(log->cancel(job().id)).error(), Errc::not_found);
}

TEST_P(EventLogSuite, AWishToCancelChangesNothingOnceTheJobHasEnded) {
  const auto made = job();
  const auto holder = running(made);
  ASSERT_TRUE(append(made, holder, 1, 1, JobState::succeeded));
  const auto wished = loop.get(log->cancel(made.id));
  ASSERT_TRUE(wished);
  EXPECT_EQ(wished->state, JobState::succeeded);
  EXPECT_FALSE(wished->cancel_wanted);
}

TEST_P(EventLogSuite, TheHolderIsWokenAndNobodyElse) {
  const auto held = job();
  const auto others = job();
  Signal changed(loop.clock());
  std::vector<JobId> mine;
  std::vector<JobId> other;
  log->on_cancel(tenant + "-a", [&](const JobId& id) {
    mine.push_back(id);
    changed.notify();
  });
  log->on_cancel(tenant + "-b", [&](const JobId& id) {
    other.push_back(id);
    changed.notify();
  });
  const auto a = tenant + "-a";
  const auto b = tenant + "-b";
  const auto held_by = token();
  ASSERT_TRUE(begin_as({.job = held, .token = held_by, .worker = a}));
  ASSERT_TRUE(begin_as({.job = others, .token = token(), .worker = b}));
  // The first wishes may come before the subscriptions stand: they are told again.
  ASSERT_TRUE(until([&] {
    EXPECT_TRUE(loop.get(log->cancel(held.id))->held);
    return !mine.empty();
  }));
  EXPECT_EQ(mine.front(), held.id);
  ASSERT_TRUE(until([&] {
    EXPECT_TRUE(loop.get(log->cancel(others.id)));
    return !other.empty();
  }));
  for (const auto& id : mine) EXPECT_EQ(id, held.id);
  for (const auto& id : other) EXPECT_EQ(id, others.id);
  log->on_cancel(a, {});
  log->on_cancel(b, {});
}

TEST_P(EventLogSuite, AWishWakesNobodyOnceTheLeaseIsGivenBack) {
  const auto given_back = job();
  const auto held = job();
  const auto worker = tenant + "-w";
  Signal changed(loop.clock());
  std::vector<JobId> heard;
  log->on_cancel(worker, [&](const JobId& id) {
    heard.push_back(id);
    changed.notify();
  });
  const auto first = token();
  ASSERT_TRUE(begin_as({.job = given_back, .token = first, .worker = worker}));
  ASSERT_TRUE(append(given_back, first, 1, 0, JobState::queued));
  ASSERT_TRUE(begin_as({.job = held, .token = token(), .worker = worker}));
  // What is told comes in its order: whoever hears of the second has not heard of the first.
  ASSERT_TRUE(until([&] {
    EXPECT_TRUE(loop.get(log->cancel(given_back.id)));
    EXPECT_TRUE(loop.get(log->cancel(held.id)));
    return !heard.empty();
  }));
  for (const auto& id : heard) EXPECT_EQ(id, held.id);
  log->on_cancel(worker, {});
}

// --- sessions

TEST_P(EventLogSuite, ASessionListsItsLiveJobsOldestFirst) {
  std::vector<Job> jobs;
  for (int i = 0; i < 4; ++i) {
    jobs.push_back(job("세션/1"));
    jobs.back().created_at += std::chrono::milliseconds(i);
    ASSERT_TRUE(accept(jobs.back()));
  }
  ASSERT_TRUE(accept(job("other")));
  const auto live = [&] { return loop.get(log->session_jobs(tenant, "세션/1")).value(); };
  EXPECT_EQ(live(), (std::vector{jobs[0].id, jobs[1].id, jobs[2].id, jobs[3].id}));
  const auto holder = token();
  ASSERT_TRUE(begin(jobs[1], holder));
  ASSERT_TRUE(append(jobs[1], holder, 1, 1, JobState::cancelled));
  EXPECT_EQ(live(), (std::vector{jobs[0].id, jobs[2].id, jobs[3].id}));
  EXPECT_TRUE(loop.get(log->session_jobs(tenant, "nobody's"))->empty());
  EXPECT_TRUE(loop.get(log->session_jobs("nobody", "세션/1"))->empty());
}

TEST_P(EventLogSuite, AnEndedJobThatIsAcceptedAgainDoesNotJoinItsSession) {
  const auto made = job("s");
  const auto holder = running(made);
  ASSERT_TRUE(append(made, holder, 1, 1, JobState::succeeded));
  HeardSession heard(loop.clock());
  log->watch_session(tenant, "s", heard);
  ASSERT_TRUE(eventually(heard.changed(), [&] { return heard.uncertain == 1; }));
  EXPECT_EQ(accept(made)->state, JobState::succeeded);
  const auto next = job("s");
  ASSERT_TRUE(accept(next));
  ASSERT_TRUE(eventually(heard.changed(), [&] { return !heard.jobs.empty(); }));
  EXPECT_EQ(heard.jobs, std::vector{next.id});
  EXPECT_EQ(loop.get(log->session_jobs(tenant, "s")).value(), std::vector{next.id});
  log->unwatch_session(tenant, "s", heard);
}

TEST_P(EventLogSuite, WhoHearsOfAJobInASessionFindsItsRecord) {
  struct Looks final : SessionWatcher {
    void on_job(const JobId& id) noexcept override {
      heard = id;
      changed->notify();
    }
    void on_uncertain() noexcept override {
      ready = true;
      changed->notify();
    }
    Signal* changed = nullptr;
    std::optional<JobId> heard;
    bool ready = false;
  } looks;
  EventLog& other = open();
  Signal changed(loop.clock());
  looks.changed = &changed;
  other.watch_session(tenant, "s", looks);
  ASSERT_TRUE(eventually(changed, [&] { return looks.ready; }));
  const auto made = job("s");
  const auto add = [](EventLog& log, Job job, std::string queued) -> Task<> {
    const auto accepted = co_await log.accept(job, "print", queued);
    EXPECT_TRUE(accepted);
  };
  const auto look = [](EventLog& log, Looks& looks, Signal& changed) -> Task<> {
    while (!looks.heard) co_await changed.wait();
    const auto page = co_await log.read(*looks.heard, 0);
    EXPECT_TRUE(page) << "told of a job before its record was there";
  };
  std::vector<Task<>> both;
  both.push_back(add(*log, made, line(1, "queued")));
  both.push_back(look(other, looks, changed));
  loop.run(std::move(both));
  EXPECT_EQ(looks.heard, made.id);
  other.unwatch_session(tenant, "s", looks);
}

TEST_P(EventLogSuite, AJobThatWantsItsSessionIdleIsRefusedByABusyOne) {
  const auto first = job("s");
  ASSERT_TRUE(accept(first));
  auto second = job("s");
  second.on_busy = "reject";
  EXPECT_EQ(accept(second).error(), Errc::conflict);
  EXPECT_FALSE(state(second));
  EXPECT_EQ(loop.get(log->session_jobs(tenant, "s")).value(), std::vector{first.id});
  auto elsewhere = job("another");
  elsewhere.on_busy = "reject";
  EXPECT_TRUE(accept(elsewhere)->fresh);

  const auto holder = token();
  ASSERT_TRUE(begin(first, holder));
  ASSERT_TRUE(append(first, holder, 1, 1, JobState::succeeded));
  EXPECT_TRUE(accept(second)->fresh);
  EXPECT_FALSE(accept(second)->fresh) << "its own record does not refuse it";
  EXPECT_TRUE(accept(job("s"))->fresh) << "who waits is taken";
  EXPECT_FALSE(accept(second)->fresh);
  const auto next = token();
  ASSERT_TRUE(begin(second, next));
  ASSERT_TRUE(append(second, next, 1, 1, JobState::succeeded));
  EXPECT_EQ(accept(second)->state, JobState::succeeded) << "a job that was accepted stays so";
}

TEST_P(EventLogSuite, OfJobsThatWantTheirSessionIdleOneGetsIt) {
  std::vector<Task<>> accepts;
  int taken = 0;
  int refused = 0;
  const auto add = [](EventLog& log, Job job, std::string queued, int& taken,
                      int& refused) -> Task<> {
    const auto accepted = co_await log.accept(job, "print", queued);
    if (accepted) ++taken;
    if (!accepted && accepted.error() == Errc::conflict) ++refused;
  };
  EventLog& other = open();
  for (int i = 0; i < 10; ++i) {
    auto made = job("s");
    made.on_busy = "reject";
    accepts.push_back(add(i % 2 ? *log : other, made, line(1, "queued"), taken, refused));
  }
  loop.run(std::move(accepts));
  EXPECT_EQ(taken, 1);
  EXPECT_EQ(refused, 9);
  EXPECT_EQ(loop.get(log->session_jobs(tenant, "s"))->size(), 1u);
}

TEST_P(EventLogSuite, AFullSessionTakesNoMoreUntilOneHasEnded) {
  std::vector<Job> jobs;
  std::vector<Task<>> accepts;
  const auto add = [](EventLog& log, Job job, std::string queued) -> Task<> {
    const auto accepted = co_await log.accept(job, "print", queued);
    EXPECT_TRUE(accepted && accepted->fresh);
  };
  for (std::size_t i = 0; i < limits::session_jobs_max; ++i) {
    jobs.push_back(job("full"));
    accepts.push_back(add(*log, jobs.back(), line(1, "queued")));
  }
  loop.run(std::move(accepts));
  const auto more = job("full");
  EXPECT_EQ(accept(more).error(), Errc::overloaded);
  EXPECT_FALSE(state(more));
  EXPECT_TRUE(accept(job("another")));
  EXPECT_FALSE(accept(jobs[5])->fresh) << "a job that is in already is no further one";

  const auto holder = token();
  ASSERT_TRUE(begin(jobs[0], holder));
  ASSERT_TRUE(append(jobs[0], holder, 1, 1, JobState::succeeded));
  EXPECT_TRUE(accept(more));
  EXPECT_EQ(accept(job("full")).error(), Errc::overloaded);
  EXPECT_EQ(accept(jobs[0])->state, JobState::succeeded) << "asking again needs no room";

  // Whoever ended it may have died before it could take it out.
  const auto late = token();
  ASSERT_TRUE(begin(jobs[7], late));
  ASSERT_TRUE(append(jobs[7], late, 1, 1, JobState::failed));
  world->list_in_session(jobs[7]);
  EXPECT_TRUE(accept(job("full")));
}

// --- loss

TEST_P(EventLogSuite, AfterALossTheHolderGoesOnAboveEveryNumberAndSaysSo) {
  const auto made = job();
  const auto holder = running(made, 5);
  world->lose(made.id);
  EXPECT_EQ(append(made, holder, 5, 1).error(), Errc::lost);
  const auto begun = begin(made, holder, 5, true);
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->outcome, Begun::Outcome::granted);
  ASSERT_TRUE(begun->gap_from);
  EXPECT_LE(*begun->gap_from, 6u);
  EXPECT_GT(begun->last, 5u);
  const auto text = line(begun->last + 1, "gap") + line(begun->last + 2);
  ASSERT_TRUE(append_lines(made, holder, begun->last, 2, text));
  const auto page = read(made, 5);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->lines, text);
  EXPECT_EQ(page->last, begun->last + 2);
}

TEST_P(EventLogSuite, ASecondLossContinuesAboveTheFirst) {
  const auto made = job();
  const auto holder = running(made, 3);
  Seq known = 3;
  for (int i = 0; i < 3; ++i) {
    world->lose(made.id);
    const auto begun = begin(made, holder, known, true);
    ASSERT_TRUE(begun);
    EXPECT_TRUE(begun->gap_from);
    EXPECT_GE(begun->last, known);
    ASSERT_TRUE(append(made, holder, begun->last, 3));
    known = begun->last + 3;
  }
}

TEST_P(EventLogSuite, NumbersRiseEvenWhenTheLogsClockHasGoneBack) {
  const auto made = job();
  const auto holder = running(made);
  const Seq far = Seq{1} << 52;  // as numbered by a clock that was ahead
  world->lose(made.id);
  const auto begun = begin(made, holder, far, true);
  ASSERT_TRUE(begun);
  EXPECT_TRUE(begun->gap_from);
  EXPECT_GE(begun->last, far);
}

TEST_P(EventLogSuite, AnotherWorkerThatFindsNoRecordOfABegunJobJumpsToo) {
  const auto made = job();
  running(made, 5);
  world->lose(made.id);
  const auto begun = begin(made, token(), 0, true);
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->outcome, Begun::Outcome::granted);
  EXPECT_TRUE(begun->gap_from);
  EXPECT_GT(begun->last, 5u);
}

TEST_P(EventLogSuite, AJobLostBeforeItsFirstBeginDoesNotGiveANumberTwice) {
  const auto made = job();
  ASSERT_TRUE(accept(made));  // readers may hold `queued`, number 1
  world->lose(made.id);
  const auto begun = begin(made, token());
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->outcome, Begun::Outcome::granted);
  EXPECT_GE(begun->last, 1u);
}

TEST_P(EventLogSuite, ARecordWithoutItsTailIsLostToTheHolderAndContinuedWithAGap) {
  const auto made = job();
  const auto holder = running(made, 5);
  world->lose_last_event(made.id);
  EXPECT_EQ(append(made, holder, 5, 1).error(), Errc::lost);
  const auto begun = begin(made, holder, 5, true);
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->gap_from, 5u);  // the first number that is not there
  EXPECT_GT(begun->last, 5u);
  ASSERT_TRUE(append(made, holder, begun->last, 1));
  EXPECT_EQ(read(made)->lines, line(1, "queued") + lines(2, 4) + line(begun->last + 1));
}

// --- the Store

TEST_P(EventLogSuite, TheFirstStoreIsTheLogsForGood) {
  const auto stands = loop.get(log->claim_store("store-of-" + tenant));
  ASSERT_TRUE(stands);
  EXPECT_FALSE(stands->empty());
  EXPECT_EQ(loop.get(log->claim_store("another-of-" + tenant)), stands);
}

}  // namespace millrace
