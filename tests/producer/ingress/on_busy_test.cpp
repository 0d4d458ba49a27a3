#include "tests/producer/ingress/world.h"

namespace millrace::ingress_test {
namespace {

std::string body_of(std::string_view on_busy) {
  return R"({"input":"x","session":"s","on_busy":")" + std::string(on_busy) + "\"}";
}
const std::string waits = body_of("enqueue");

JobState state_of(World& w, const JobId& id) {
  return w.store.rows.at(id).state;
}

TEST(OnBusy, AJobThatRejectsIsRefusedByABusySessionAndLeavesNothing) {
  World w;
  const JobId first = w.posted(waits);
  const auto refused = w.post(body_of("reject"));
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(at(refused.body, "/code"), "session_busy");
  EXPECT_EQ(header(refused, "x-should-retry"), "false");
  EXPECT_EQ(w.log.records.size(), 1u);
  EXPECT_EQ(w.queue.jobs.size(), 1u);
  ASSERT_EQ(w.cancel_by_post(first).status, 200);
  EXPECT_EQ(w.post(body_of("reject")).status, 202);
}

TEST(OnBusy, ARejectedRequestIsItsOwnNextTime) {
  World w;
  const Headers key{{"idempotency-key", "k"}};
  const JobId id = w.posted(body_of("reject"), key);
  const auto again = w.post(body_of("reject"), key);
  EXPECT_EQ(again.status, 202);
  EXPECT_EQ(World::id_of(again), id);
  EXPECT_EQ(header(again, "Idempotent-Replayed"), "true");
}

TEST(OnBusy, AnInterruptEndsWhatIsThereBeforeItIsQueued) {
  World w;
  const JobId running = w.posted(waits);
  w.clock.run_for(2ms);
  const JobId queued = w.posted(waits);
  w.clock.run_for(2ms);
  const JobId elsewhere = w.posted(R"({"input":"x","session":"another"})");
  Holder holder(w, running);
  ASSERT_TRUE(holder.say("half an ans"));
  const JobId next = w.posted(body_of("interrupt"));
  EXPECT_EQ(state_of(w, running), JobState::cancelled);
  EXPECT_EQ(w.store.rows.at(running).outcome->text, "half an ans");
  EXPECT_EQ(state_of(w, queued), JobState::cancelled);
  EXPECT_EQ(state_of(w, elsewhere), JobState::queued);
  EXPECT_EQ(state_of(w, next), JobState::queued);
  EXPECT_EQ(w.queue.jobs.back().id, next);
}

TEST(OnBusy, OfTwoInterruptsTheLaterOneStands) {
  World w;
  const auto first = w.begin(http::Method::post, "/v1/jobs", body_of("interrupt"));
  w.clock.run_for(1ms);
  const auto second = w.begin(http::Method::post, "/v1/jobs", body_of("interrupt"));
  w.clock.run_for(5s);
  ASSERT_EQ(first->status(), 202);
  ASSERT_EQ(second->status(), 202);
  EXPECT_EQ(state_of(w, World::id_of(*first->response)), JobState::cancelled);
  EXPECT_EQ(state_of(w, World::id_of(*second->response)), JobState::queued);
}

TEST(OnBusy, ARollbackTakesTheTurnsBackToo) {
  World w;
  const JobId first = w.posted(waits);
  w.sessions.said["s"] = {{.id = "1", .role = "user", .content = "kept"},
                          {.id = "2", .role = "user", .content = "gone", .job = first}};
  w.clock.run_for(2ms);
  w.posted(body_of("rollback"));
  EXPECT_EQ(state_of(w, first), JobState::cancelled);
  ASSERT_EQ(w.sessions.said["s"].size(), 1u);
  EXPECT_EQ(w.sessions.said["s"][0].content, "kept");
}

TEST(OnBusy, WhatCannotBeEndedKeepsTheNewJobOut) {
  World w;
  w.posted(waits);
  w.sessions.fails = Errc::unavailable;
  const auto refused = w.post(body_of("rollback"));
  EXPECT_EQ(refused.status, 503);
  EXPECT_NE(header(refused, "Retry-After"), "");
  EXPECT_EQ(w.log.records.size(), 1u);
  EXPECT_EQ(w.queue.jobs.size(), 1u);
}

TEST(OnBusy, WithTheLogAwayOnlyWhoWaitsIsTaken) {
  World w;
  w.log.fails = Errc::unavailable;
  EXPECT_EQ(w.post(waits).status, 202);
  for (const char* on_busy : {"reject", "interrupt", "rollback"}) {
    const auto refused = w.post(body_of(on_busy));
    EXPECT_EQ(refused.status, 503) << on_busy;
    EXPECT_EQ(at(refused.body, "/code"), "log_unavailable");
  }
  EXPECT_EQ(w.queue.jobs.size(), 1u);
}

TEST(OnBusy, AfterTheLossOfTheLogASessionIsIdle) {
  World w;
  w.posted(waits);
  w.log.lose_all();
  EXPECT_EQ(w.post(body_of("reject")).status, 202);
}

}  // namespace
}  // namespace millrace::ingress_test
