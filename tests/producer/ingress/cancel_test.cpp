#include "producer/ingress/cancel.h"

#include "tests/producer/ingress/world.h"

namespace millrace::ingress_test {
namespace {

/// The last event of a job's log, and how many terminal ones there are.
std::string last_type(World& w, const JobId& id, int* terminals = nullptr) {
  const std::string lines = w.log.lines_of(id);
  std::string_view rest = lines;
  EventLine event;
  std::string type;
  while (next_event(rest, event)) {
    type = event.type;
    if (terminals) *terminals += terminal_event(event.type);
  }
  return type;
}

void expect_one_end(World& w, const JobId& id, const std::string& type) {
  int terminals = 0;
  EXPECT_EQ(last_type(w, id, &terminals), type);
  EXPECT_EQ(terminals, 1);
  EXPECT_EQ(w.log.text_of(id), w.store.rows.at(id).outcome->text);
  EXPECT_EQ(w.store.finishes, 1u);
}

TEST(Cancel, AQueuedJobEndsAtOnce) {
  World w;
  const JobId id = w.posted();
  const auto began = w.clock.now();
  const auto response = w.cancel_by_post(id);
  EXPECT_LT(w.clock.now() - began, 100ms);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(at(response.body, "/status"), "cancelled");
  EXPECT_NE(at(response.body, "/ended_at"), "null");
  expect_one_end(w, id, "cancelled");
  EXPECT_EQ(w.log.lines_of(id).find("rewind"), std::string::npos);
}

TEST(Cancel, AnotherTenantsJobIsNotEvenWoken) {
  World w;
  const JobId id = w.posted();
  Holder holder(w, id);
  bool heard = false;
  w.log.on_cancel("w", [&](const JobId&) { heard = true; });
  for (const auto state : {"its row is known", "only its record is"}) {
    const auto sent = w.begin(http::Method::post, job_path(id) + "/cancel", "", {}, "other");
    w.clock.run_for(5s);
    ASSERT_TRUE(sent->response) << state;
    EXPECT_EQ(sent->response->status, 404) << state;
    w.store.rows.clear();
  }
  EXPECT_FALSE(heard);
  EXPECT_FALSE(w.log.records.at(id).cancel_wanted);
}

TEST(Cancel, AJobNotNotedYetEndsToo) {
  World w;
  w.store.notes_lag = true;
  const JobId id = w.posted(R"({"input":"x","session":"s"})");
  const auto response = w.cancel_by_post(id);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(at(response.body, "/status"), "cancelled");
  EXPECT_EQ(at(response.body, "/session"), "s");
  w.store.write_notes();
  EXPECT_EQ(w.store.rows.at(id).state, JobState::cancelled);
  expect_one_end(w, id, "cancelled");
}

TEST(Cancel, ALiveHolderIsHeardAndItsWordsStand) {
  World w;
  const JobId id = w.posted();
  Holder holder(w, id);
  ASSERT_TRUE(holder.say("half an ans"));
  bool heard = false;
  w.log.on_cancel("w", [&](const JobId&) { heard = true; });
  const auto sent = w.begin(http::Method::post, job_path(id) + "/cancel");
  w.clock.run_for(100ms);
  EXPECT_TRUE(heard);
  EXPECT_FALSE(sent->response);
  EXPECT_TRUE(w.store.rows.at(id).cancel_wanted);
  Outcome cancelled;
  cancelled.state = JobState::cancelled;
  cancelled.text = "half an ans";
  ASSERT_TRUE(holder.finish(cancelled));
  ASSERT_TRUE(holder.end(cancelled, "half an ans"));
  w.clock.run_for(50ms);
  ASSERT_TRUE(sent->response);
  EXPECT_EQ(at(sent->response->body, "/status"), "cancelled");
  EXPECT_EQ(at(sent->response->body, "/result/text"), "half an ans");
  expect_one_end(w, id, "cancelled");
  EXPECT_FALSE(w.log.watched());
}

TEST(Cancel, AHolderWhoseNewsIsLostIsFoundByAsking) {
  World w;
  const JobId id = w.posted();
  Holder holder(w, id);
  w.log.loses_news = true;
  const auto sent = w.begin(http::Method::post, job_path(id) + "/cancel");
  w.clock.run_for(10ms);
  const auto done = Holder::done("");
  ASSERT_TRUE(holder.finish(done));
  ASSERT_TRUE(holder.end(done, ""));
  w.clock.run_for(1s);
  ASSERT_TRUE(sent->response);
  EXPECT_EQ(at(sent->response->body, "/status"), "succeeded");
  expect_one_end(w, id, "done");
}

TEST(Cancel, ASilentHolderLosesItsJobWithinASecondAndCannotWriteAnyMore) {
  World w;
  const JobId id = w.posted();
  Holder holder(w, id);
  ASSERT_TRUE(holder.say("what I said"));
  const auto began = w.clock.now();
  const auto response = w.cancel_by_post(id);
  EXPECT_LT(w.clock.now() - began, limits::cancel_answer_max);
  EXPECT_GE(w.clock.now() - began, limits::cancel_holder_wait);
  EXPECT_EQ(at(response.body, "/status"), "cancelled");
  EXPECT_EQ(at(response.body, "/result/text"), "what I said");
  expect_one_end(w, id, "cancelled");
  EXPECT_EQ(w.log.lines_of(id).find("rewind"), std::string::npos);
  const auto late = holder.say(" and more");
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error(), Errc::fenced);
  EXPECT_FALSE(holder.finish(Holder::done("what I said and more"))->first);
}

TEST(Cancel, AHolderThatHadFinishedButNotToldIsToldFor) {
  World w;
  const JobId id = w.posted();
  Holder holder(w, id);
  ASSERT_TRUE(holder.say("the ans"));
  ASSERT_TRUE(holder.finish(Holder::done("the answer")));  // died before the rest was told
  const auto response = w.cancel_by_post(id);
  EXPECT_EQ(at(response.body, "/status"), "succeeded");
  EXPECT_EQ(at(response.body, "/result/text"), "the answer");
}

TEST(Cancel, AnOutcomeThatComesBetweenIsTheOneReadersGet) {
  World w;
  const JobId id = w.posted();
  Holder holder(w, id);
  ASSERT_TRUE(holder.say("the ans"));
  const auto sent = w.begin(http::Method::post, job_path(id) + "/cancel");
  w.clock.run_for(695ms);
  ASSERT_TRUE(holder.finish(Holder::done("the answer")));
  w.clock.run_for(300ms);
  ASSERT_TRUE(sent->response);
  EXPECT_EQ(at(sent->response->body, "/status"), "succeeded");
  expect_one_end(w, id, "done");
  EXPECT_NE(w.log.lines_of(id).find("rewind"), std::string::npos);
  EXPECT_EQ(w.log.text_of(id), "the answer");
}

TEST(Cancel, AJobWhoseLeaseLapsedEndsAtOnceWithWhatWasSaid) {
  World w;
  const JobId id = w.posted();
  Holder holder(w, id);
  ASSERT_TRUE(holder.say("some"));
  w.clock.run_for(11s);
  const auto began = w.clock.now();
  const auto response = w.cancel_by_post(id);
  EXPECT_LT(w.clock.now() - began, 100ms);
  EXPECT_EQ(at(response.body, "/result/text"), "some");
  expect_one_end(w, id, "cancelled");
}

TEST(Cancel, ARunningJobWhoseLogIsLostEndsWithAGap) {
  World w;
  const JobId id = w.posted();
  Holder holder(w, id);
  ASSERT_TRUE(holder.say("some"));
  w.log.lose_all();
  const auto response = w.cancel_by_post(id);
  EXPECT_EQ(at(response.body, "/status"), "cancelled");
  expect_one_end(w, id, "cancelled");
  EXPECT_NE(w.log.lines_of(id).find(" gap "), std::string::npos);
}

TEST(Cancel, AQueuedJobWhoseLogIsLostEnds) {
  World w;
  const JobId id = w.posted();
  w.log.lose_all();
  EXPECT_EQ(at(w.cancel_by_post(id).body, "/status"), "cancelled");
  expect_one_end(w, id, "cancelled");
}

TEST(Cancel, AnEndedJobIsAnsweredAsItEndedHoweverOften) {
  World w;
  const JobId id = w.posted();
  const auto first = w.cancel_by_post(id);
  const auto second = w.cancel_by_post(id);
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(second.body, first.body);
  expect_one_end(w, id, "cancelled");
}

TEST(Cancel, ManyAtOnceEndTheJobOnce) {
  World w;
  const JobId id = w.posted();
  Holder holder(w, id);
  ASSERT_TRUE(holder.say("some"));
  std::vector<std::unique_ptr<World::Exchange>> sent;
  for (int i = 0; i < 5; ++i) sent.push_back(w.begin(http::Method::post, job_path(id) + "/cancel"));
  w.clock.run_for(1s);
  for (const auto& exchange : sent) {
    ASSERT_EQ(exchange->status(), 200);
    EXPECT_EQ(at(exchange->response->body, "/status"), "cancelled");
  }
  expect_one_end(w, id, "cancelled");
}

TEST(Cancel, AnUnknownJobIs404AndAMalformedIdIs400) {
  World w;
  EXPECT_EQ(w.cancel_by_post(derived_job_id("a", "b")).status, 404);
  const auto response = w.send(http::Method::post, "/v1/jobs/17/cancel");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(at(response.body, "/field"), "id");
}

TEST(Cancel, WithoutTheStoreOrTheLogIs503) {
  World w;
  const JobId id = w.posted();
  w.store.fails = Errc::unavailable;
  auto response = w.cancel_by_post(id);
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(at(response.body, "/code"), "store_unavailable");
  EXPECT_NE(header(response, "Retry-After"), "");
  w.store.fails.reset();
  w.log.fails = Errc::timed_out;
  response = w.cancel_by_post(id);
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(at(response.body, "/code"), "log_unavailable");
  EXPECT_TRUE(w.store.rows.at(id).cancel_wanted) << "a worker that begins will see the wish";
  w.log.fails.reset();
  EXPECT_EQ(at(w.cancel_by_post(id).body, "/status"), "cancelled");
}

TEST(Cancel, AStoreThatFailsAfterTheLeaseWasTakenGivesTheJobBack) {
  World w;
  const JobId id = w.posted();
  Holder holder(w, id);
  const auto sent = w.begin(http::Method::post, job_path(id) + "/cancel");
  w.clock.run_for(500ms);
  w.store.fails = Errc::unavailable;
  w.clock.run_for(500ms);
  ASSERT_EQ(sent->status(), 503);
  EXPECT_EQ(w.log.records.at(id).state, JobState::queued);
  EXPECT_FALSE(w.log.records.at(id).token);
  w.store.fails.reset();
  EXPECT_EQ(at(w.cancel_by_post(id).body, "/status"), "cancelled");
}

TEST(Cancel, AnEndingThatCannotBeToldStandsInTheStore) {
  World w;
  const JobId id = w.posted();
  w.log.append_fails = Errc::timed_out;
  EXPECT_EQ(at(w.cancel_by_post(id).body, "/status"), "cancelled");
  EXPECT_EQ(w.store.rows.at(id).state, JobState::cancelled);
}

}  // namespace
}  // namespace millrace::ingress_test
