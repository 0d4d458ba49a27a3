#include "producer/ingress/submit.h"

#include "producer/ingress/limits.h"
#include "tests/producer/ingress/world.h"

namespace millrace::ingress_test {
namespace {

const Headers key{{"idempotency-key", "order-17"}};
const std::string body = R"({"input":"hello","session":null})";

TEST(Submit, AnsweredWith202OnceTheQueueHasItAndItsRecordStands) {
  World w;
  const auto response = w.post(R"({"input":"hello","session":"s"})");
  EXPECT_EQ(response.status, 202);
  const JobId id = w.id_of(response);
  EXPECT_EQ(header(response, "Location"), "/v1/jobs/" + id.str());
  EXPECT_EQ(at(response.body, "/status"), "queued");
  EXPECT_EQ(at(response.body, "/session"), "s");
  EXPECT_EQ(at(response.body, "/links/self"), "/v1/jobs/" + id.str());
  EXPECT_EQ(at(response.body, "/links/events"), "/v1/jobs/" + id.str() + "/events?sig=s");
  EXPECT_EQ(at(response.body, "/links/cancel"), "/v1/jobs/" + id.str() + "/cancel");
  ASSERT_EQ(w.queue.jobs.size(), 1u);
  EXPECT_EQ(w.queue.jobs[0].id, id);
  EXPECT_EQ(at(response.body, "/created_at"), to_rfc3339(w.queue.jobs[0].created_at));
  EXPECT_EQ(w.queue.jobs[0].envelope, encode_envelope(w.queue.jobs[0]));
  EXPECT_TRUE(w.log.records.contains(id));
  EXPECT_TRUE(w.store.rows.contains(id));
}

TEST(Submit, TheRecordIsWrittenWhileTheQueueIsAsked) {
  World w;
  w.queue.latency = 100ms;
  w.log.latency = 100ms;
  const auto sent = w.begin(http::Method::post, "/v1/jobs", body);
  w.clock.run_for(101ms);
  EXPECT_EQ(sent->status(), 202);
}

TEST(Submit, TheQueuedEventTellsPositionAndEtaOnlyWhereKnown) {
  World w;
  const JobId unknown = w.posted(body);
  w.queue.lag_known = QueueLag{.waiting = 12};
  const JobId position = w.posted(body);
  w.queue.lag_known = QueueLag{.waiting = 12, .finished_per_s = 4};
  const JobId both = w.posted(body);
  EXPECT_EQ(w.log.lines_of(unknown).find("position"), std::string::npos);
  EXPECT_NE(w.log.lines_of(position).find(R"("position":12)"), std::string::npos);
  EXPECT_EQ(w.log.lines_of(position).find("eta_s"), std::string::npos);
  EXPECT_NE(w.log.lines_of(both).find(R"("eta_s":3.000)"), std::string::npos);
}

TEST(Submit, AQueueThatRefusesLeavesNothingBehind) {
  for (const Errc error : {Errc::unavailable, Errc::overloaded}) {
    World w;
    w.queue.fails = error;
    const auto response = w.post(body);
    EXPECT_EQ(response.status, 503);
    EXPECT_NE(header(response, "Retry-After"), "");
    EXPECT_EQ(at(response.body, "/id"), "absent");
    EXPECT_TRUE(w.log.records.empty());
    EXPECT_TRUE(w.store.rows.empty());
  }
}

TEST(Submit, AQueueThatCannotTellNamesTheJobAndKeepsItsRecord) {
  World w;
  w.queue.fails = Errc::timed_out;
  const auto response = w.post(body);
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(at(response.body, "/code"), "outcome_unknown");
  EXPECT_NE(header(response, "Retry-After"), "");
  ASSERT_EQ(w.log.records.size(), 1u);
  EXPECT_EQ(w.id_of(response), w.log.records.begin()->first);
  EXPECT_FALSE(w.log.records.begin()->second.acknowledged);
}

TEST(Submit, WithoutTheEventLogNewJobsAreAccepted) {
  for (const Errc error : {Errc::unavailable, Errc::timed_out}) {
    World w;
    w.log.fails = error;
    EXPECT_EQ(w.post(body).status, 202);
    EXPECT_EQ(w.post(R"({"input":"x","session":"s"})").status, 202);
    EXPECT_EQ(w.post(body, key).status, 202);
    EXPECT_EQ(w.queue.jobs.size(), 3u);
    EXPECT_EQ(w.store.rows.size(), 3u);
  }
}

void expect_storage_full(const http::Response& refused) {
  EXPECT_EQ(refused.status, 507);
  EXPECT_EQ(refused.content_type, "application/problem+json");
  EXPECT_EQ(header(refused, "Retry-After"), "10");
  EXPECT_EQ(at(refused.body, "/code"), "storage_full");
  EXPECT_NE(at(refused.body, "/detail").find("make"), std::string::npos);
  EXPECT_EQ(at(refused.body, "/id"), "absent");
}

TEST(Submit, AFullDiskIs507WhicheverPortMeetsItAndNothingIsKept) {
  World w(true);
  const std::string large = R"({"input":")" + std::string(300 * 1024, 'x') + R"("})";
  for (auto* fault : {&w.log.fails, &w.queue.fails, &w.store.fails, &w.objects.fails}) {
    *fault = Errc::full;
    if (fault != &w.objects.fails) expect_storage_full(w.post(body, key));
    if (fault != &w.objects.fails && fault != &w.store.fails) expect_storage_full(w.post(body));
    expect_storage_full(w.post(large, key));
    fault->reset();
  }
  EXPECT_TRUE(w.queue.jobs.empty());
  EXPECT_TRUE(w.objects.kept.empty());
  EXPECT_EQ(w.post(body, key).status, 202);
}

TEST(Submit, WithoutAnEventLogThatIsNeededNothingIsQueuedUntilItIsBack) {
  World w(true);
  w.log.fails = Errc::unavailable;
  for (const auto& refused : {w.post(body), w.post(body, key)}) {
    EXPECT_EQ(refused.status, 503);
    EXPECT_NE(header(refused, "Retry-After"), "");
    EXPECT_EQ(at(refused.body, "/code"), "log_unavailable");
    EXPECT_EQ(at(refused.body, "/id"), "absent");
  }
  EXPECT_TRUE(w.queue.jobs.empty());
  w.log.fails.reset();
  EXPECT_EQ(w.post(body).status, 202);
  EXPECT_EQ(w.post(body, key).status, 202);
  EXPECT_EQ(w.queue.jobs.size(), 2u);
}

TEST(Submit, WithoutTheStoreANewJobIsAccepted) {
  World w;
  w.store.fails = Errc::overloaded;
  EXPECT_EQ(w.post(body).status, 202);
}

TEST(Submit, WithoutTheStoreAKeyedJobIsRefusedForItsKeyMayHaveBeenUsed) {
  World w;
  w.store.fails = Errc::unavailable;
  const auto response = w.post(body, key);
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(at(response.body, "/code"), "store_unavailable");
  EXPECT_NE(header(response, "Retry-After"), "");
  EXPECT_TRUE(w.queue.jobs.empty());
}

TEST(Submit, AFullSessionIs429AndNothingIsQueued) {
  World w;
  w.log.session_jobs_max = 2;
  const std::string in_session = R"({"input":"x","session":"s"})";
  EXPECT_EQ(w.post(in_session).status, 202);
  EXPECT_EQ(w.post(in_session).status, 202);
  for (const auto& headers : {Headers{}, key}) {
    const auto response = w.post(in_session, headers);
    EXPECT_EQ(response.status, 429);
    EXPECT_EQ(at(response.body, "/field"), "/session");
    EXPECT_NE(header(response, "Retry-After"), "");
  }
  EXPECT_EQ(w.queue.jobs.size(), 2u);
  EXPECT_EQ(w.post(R"({"input":"x","session":"t"})").status, 202);
}

TEST(Submit, MoreAtOnceThanTheLimitIs503) {
  World w;
  w.queue.latency = 1s;
  std::vector<std::unique_ptr<World::Exchange>> sent;
  for (std::size_t i = 0; i <= ingress_limits::accepts_at_once_max; ++i)
    sent.push_back(w.begin(http::Method::post, "/v1/jobs", body));
  w.clock.run_for(500ms);
  ASSERT_TRUE(sent.back()->response);
  EXPECT_EQ(sent.back()->status(), 503);
  EXPECT_EQ(at(sent.back()->response->body, "/code"), "overloaded");
  w.clock.run_for(1s);
  EXPECT_EQ(sent.front()->status(), 202);
  EXPECT_EQ(w.post(body).status, 202);
}

TEST(Submit, AJobWhoseClientHasGoneIsStillSeenThrough) {
  World w;
  auto sent = w.begin(http::Method::post, "/v1/jobs", body);
  w.clock.run_for(0s);
  w.nursery.stop();
  w.clock.run_for(10ms);
  ASSERT_EQ(w.queue.jobs.size(), 1u);
  EXPECT_TRUE(w.log.records.contains(w.queue.jobs[0].id));
  EXPECT_EQ(w.store.rows.size(), 1u);
}

// --- with a key

TEST(Idempotency, TheSameRequestAgainIsTheSameJobQueuedOnce) {
  World w;
  const auto first = w.post(body, key);
  w.clock.run_for(5s);
  const auto again = w.post(body, key);
  EXPECT_EQ(first.status, 202);
  EXPECT_EQ(again.status, 202);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(header(again, "Location"), header(first, "Location"));
  EXPECT_EQ(header(first, "Idempotent-Replayed"), "");
  EXPECT_EQ(header(again, "Idempotent-Replayed"), "true");
  EXPECT_EQ(w.queue.jobs.size(), 1u);
}

TEST(Idempotency, AnotherBodyUnderTheSameKeyIs422) {
  World w;
  w.post(body, key);
  const auto response = w.post(R"({"input":"other"})", key);
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(at(response.body, "/code"), "idempotency_key_reused");
  EXPECT_EQ(at(response.body, "/field"), "Idempotency-Key");
  EXPECT_EQ(w.queue.jobs.size(), 1u);
}

TEST(Idempotency, AnotherBodyIs422AlsoBeforeTheRowIsWritten) {
  World w;
  w.store.notes_lag = true;
  w.post(body, key);
  EXPECT_EQ(w.post(R"({"input":"other"})", key).status, 422);
  const auto again = w.post(body, key);
  EXPECT_EQ(again.status, 202);
  EXPECT_EQ(header(again, "Idempotent-Replayed"), "true");
  EXPECT_EQ(w.queue.jobs.size(), 1u);
}

TEST(Idempotency, EightAtOnceAreOneJobWithOneEnvelope) {
  World w;
  w.store.notes_lag = true;
  w.queue.latency = 20ms;
  std::vector<std::unique_ptr<World::Exchange>> sent;
  for (int i = 0; i < 8; ++i) {
    sent.push_back(w.begin(http::Method::post, "/v1/jobs", body, key));
    w.clock.run_for(1ms);
  }
  w.clock.run_for(1s);
  for (const auto& exchange : sent) {
    ASSERT_EQ(exchange->status(), 202);
    EXPECT_EQ(exchange->response->body, sent.front()->response->body);
  }
  for (const auto& job : w.queue.jobs) EXPECT_EQ(job.envelope, w.queue.jobs.front().envelope);
  EXPECT_EQ(w.log.records.size(), 1u);
}

TEST(Idempotency, ARetryOfAnUnacknowledgedJobQueuesTheSameEnvelopeAgain) {
  World w;
  w.queue.fails = Errc::timed_out;
  const auto first = w.post(body, key);
  EXPECT_EQ(first.status, 503);
  w.queue.fails.reset();
  w.clock.run_for(1min);
  const auto again = w.post(body, key);
  EXPECT_EQ(again.status, 202);
  EXPECT_EQ(w.id_of(again), w.id_of(first));
  ASSERT_EQ(w.queue.jobs.size(), 2u);
  EXPECT_EQ(w.queue.jobs[0].envelope, w.queue.jobs[1].envelope);
  EXPECT_TRUE(w.log.records.at(w.id_of(again)).acknowledged);
}

TEST(Idempotency, ARetryThatFailsDoesNotTakeAwayTheFirstOnesRecord) {
  World w;
  w.queue.fails = Errc::timed_out;
  const auto first = w.post(body, key);
  w.queue.fails = Errc::unavailable;
  EXPECT_EQ(w.post(body, key).status, 503);
  EXPECT_TRUE(w.log.records.contains(w.id_of(first)));
}

TEST(Idempotency, AfterTheLogLostEverythingTheStoreStillKnowsTheKey) {
  World w;
  const auto first = w.post(body, key);
  w.log.lose_all();
  const auto again = w.post(body, key);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(w.post(R"({"input":"other"})", key).status, 422);
  EXPECT_EQ(w.queue.jobs.size(), 1u);
  EXPECT_TRUE(w.log.records.empty());
}

TEST(Idempotency, AnEndedJobIsAttachedToWithItsState) {
  World w;
  const auto first = w.post(body, key);
  Holder holder(w, w.id_of(first));
  ASSERT_TRUE(holder.finish(Holder::done("")));
  const auto again = w.post(body, key);
  EXPECT_EQ(again.status, 202);
  EXPECT_EQ(at(again.body, "/status"), "succeeded");
  EXPECT_EQ(w.queue.jobs.size(), 1u);
}

TEST(Idempotency, ARowMadeByAWorkerIsComparedByItsEnvelope) {
  World w;
  const auto first = w.post(body, key);
  w.store.rows.at(w.id_of(first)).fingerprint.clear();
  w.log.lose_all();
  w.clock.run_for(1h);
  EXPECT_EQ(w.post(body, key).status, 202);
  EXPECT_EQ(w.post(R"({"input":"other"})", key).status, 422);
  EXPECT_EQ(w.queue.jobs.size(), 1u);
}

TEST(Idempotency, ARowMadeByACancelOfAJobTheStoreNeverHeardOfAnswersForItsKey) {
  World w;
  const auto first = w.post(body, key);
  w.store.rows.clear();
  ASSERT_EQ(w.cancel_by_post(w.id_of(first)).status, 200);
  const auto again = w.post(body, key);
  EXPECT_EQ(again.status, 202);
  EXPECT_EQ(at(again.body, "/status"), "cancelled");
  EXPECT_EQ(w.queue.jobs.size(), 1u);
}

TEST(Idempotency, AKeyIs1To255VisibleCharacters) {
  World w;
  for (const auto& bad : {std::string(), std::string("a b"), std::string("a\tb"),
                          std::string("\xc3\xa9"), std::string(256, 'k')}) {
    const auto response = w.post(body, {{"idempotency-key", bad}});
    EXPECT_EQ(response.status, 400) << bad;
    EXPECT_EQ(at(response.body, "/field"), "Idempotency-Key");
    EXPECT_NE(at(response.body, "/detail").find("255"), std::string::npos);
  }
  EXPECT_EQ(w.post(body, {{"idempotency-key", std::string(255, 'k')}}).status, 202);
  EXPECT_EQ(w.queue.jobs.size(), 1u);
}

}  // namespace
}  // namespace millrace::ingress_test
