#include "producer/ingress/jobs_routes.h"

#include "tests/producer/ingress/world.h"

namespace millrace::ingress_test {
namespace {

const std::string body = R"({"input":"hello"})";

// --- POST /v1/jobs

TEST(PostJob, OnlyTheAllowedContentTypesAreTaken) {
  World w;
  for (const auto* type : {"application/json", "Application/JSON; charset=UTF-8",
                           "application/json;charset=\"utf-8\""})
    EXPECT_EQ(w.post(body, {{"content-type", type}}).status, 202) << type;
  EXPECT_EQ(w.post(body).status, 202);
  for (const auto* type : {"text/plain", "application/x-www-form-urlencoded", "application/jsonx",
                           "application/json; charset=latin1", "multipart/form-data; boundary=x"}) {
    const auto response = w.post(body, {{"content-type", type}});
    EXPECT_EQ(response.status, 415) << type;
    EXPECT_EQ(at(response.body, "/field"), "Content-Type");
    EXPECT_NE(at(response.body, "/detail").find("application/x-ndjson"), std::string::npos);
  }
}

TEST(PostJob, ACompressedBodyIs415NamingItsEncoding) {
  World w;
  const auto response = w.post("\x1f\x8b", {{"content-encoding", "gzip"}});
  EXPECT_EQ(response.status, 415);
  EXPECT_EQ(at(response.body, "/field"), "Content-Encoding");
  EXPECT_EQ(w.post(body, {{"content-encoding", "identity"}}).status, 202);
}

TEST(PostJob, AByteOrderMarkIsSkipped) {
  World w;
  EXPECT_EQ(w.post("\xEF\xBB\xBF" + body).status, 202);
  EXPECT_EQ(w.queue.jobs.at(0).input, R"("hello")");
}

TEST(PostJob, WhatWouldBeDroppedInSilenceIs400NamingIt) {
  World w;
  for (const std::string name : {"Idempotency-Key", "Content-Type", "Last-Event-ID"}) {
    std::string lower = name;
    for (char& c : lower) c = static_cast<char>(std::tolower(c));
    const std::string value = name == "Content-Type" ? "application/json" : "1";
    const auto response = w.post(body, {{lower, value}, {lower, value}});
    EXPECT_EQ(response.status, 400) << name;
    EXPECT_EQ(at(response.body, "/field"), name);
  }
  const auto response = w.send(http::Method::post, "/v1/jobs?wait=5", body);
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(at(response.body, "/field"), "wait");
  EXPECT_TRUE(w.queue.jobs.empty());
}

TEST(PostJob, AMistakeIsAProblem) {
  World w;
  const auto response = w.post(R"({"input":""})");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(at(response.body, "/field"), "/input");
  EXPECT_TRUE(w.queue.jobs.empty());
}

TEST(PostJob, AskedForAStreamItAnswersWithTheStream) {
  World w;
  auto response = w.post(body, {{"accept", "text/event-stream"}});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/event-stream");
  const JobId id = w.queue.jobs.at(0).id;
  EXPECT_EQ(header(response, "Location"), job_path(id));
  EXPECT_EQ(w.drain(response), id.str() + " after 0");
}

TEST(PostJob, AClientThatPostsAgainGoesOnWhereItWas) {
  World w;
  Headers headers{{"accept", "text/event-stream"}, {"idempotency-key", "k"}};
  w.post(body, headers);
  headers.emplace_back("last-event-id", "41");
  auto response = w.post(body, headers);
  EXPECT_EQ(w.drain(response), w.queue.jobs.at(0).id.str() + " after 41");
  EXPECT_EQ(w.queue.jobs.size(), 1u);
}

TEST(PostJob, AStreamThatCannotBeQueuedIsAProblem) {
  World w;
  w.queue.fails = Errc::unavailable;
  const auto response = w.post(body, {{"accept", "text/event-stream"}});
  EXPECT_EQ(response.status, 503);
  EXPECT_FALSE(response.stream);
}

const std::string trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(PostJob, TakesTheRequestsTraceWithItAndNoNonsense) {
  World w;
  w.post(body, {{"traceparent", trace}});
  w.post(body, {{"traceparent", "nonsense"}});
  w.post(body);
  EXPECT_EQ(w.queue.jobs.at(0).traceparent, trace);
  EXPECT_EQ(at(w.queue.jobs.at(0).envelope, "/traceparent"), trace);
  EXPECT_EQ(w.queue.jobs.at(1).traceparent, "");
  EXPECT_EQ(at(w.queue.jobs.at(2).envelope, "/traceparent"), "absent");
}

TEST(PostJob, TheSameRequestInAnotherTraceIsTheSameRequest) {
  World w;
  const Headers first{{"idempotency-key", "k"}, {"traceparent", trace}};
  const Headers again{{"idempotency-key", "k"}};
  const JobId id = World::id_of(w.post(body, first));
  EXPECT_EQ(World::id_of(w.post(body, again)), id);
  // The row a worker makes has no fingerprint: the envelopes decide.
  w.log.lose_all();
  w.store.rows.at(id).fingerprint.clear();
  const auto response = w.post(body, again);
  EXPECT_EQ(response.status, 202) << response.body;
  EXPECT_EQ(World::id_of(response), id);
}

// --- Prefer: wait

TEST(PreferWait, AnswersWithTheFinishedJob) {
  World w;
  const auto sent = w.begin(http::Method::post, "/v1/jobs", body, {{"prefer", "wait=30"}});
  w.clock.run_for(100ms);
  EXPECT_FALSE(sent->response);
  const JobId id = w.queue.jobs.at(0).id;
  Holder holder(w, id);
  const auto done = Holder::done("hi");
  ASSERT_TRUE(holder.say("hi"));
  ASSERT_TRUE(holder.finish(done));
  ASSERT_TRUE(holder.end(done, "hi"));
  w.clock.run_for(10ms);
  ASSERT_EQ(sent->status(), 200);
  EXPECT_EQ(at(sent->response->body, "/status"), "succeeded");
  EXPECT_EQ(at(sent->response->body, "/result/text"), "hi");
  EXPECT_EQ(header(*sent->response, "Preference-Applied"), "wait=30");
  EXPECT_EQ(header(*sent->response, "Location"), job_path(id));
  EXPECT_FALSE(w.log.watched());
}

TEST(PreferWait, WhenTimeRunsOutItIsA202) {
  World w;
  const auto began = w.clock.now();
  const auto response = w.post(body, {{"prefer", "respond-async, wait=2"}});
  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(header(response, "Preference-Applied"), "wait=2");
  EXPECT_GE(w.clock.now() - began, 2s);
  EXPECT_LT(w.clock.now() - began, 2100ms);
}

TEST(PreferWait, IsAMinuteAtMostAndWithoutANumberAndIgnoredWhenItIsNone) {
  World w;
  const auto began = w.clock.now();
  EXPECT_EQ(header(w.post(body, {{"prefer", "wait=100000"}}), "Preference-Applied"), "wait=60");
  EXPECT_LT(w.clock.now() - began, 61s);
  EXPECT_EQ(header(w.post(body, {{"prefer", "wait"}}), "Preference-Applied"), "wait=60");
  for (const auto* odd : {"wait=-1", "wait=x", "waiting=5"}) {
    const auto response = w.post(body, {{"prefer", odd}});
    EXPECT_EQ(response.status, 202);
    EXPECT_EQ(header(response, "Preference-Applied"), "") << odd;
  }
}

TEST(PreferWait, SeesTheEndAlsoWhenTheNewsIsLost) {
  World w;
  w.log.loses_news = true;
  const auto sent = w.begin(http::Method::post, "/v1/jobs", body, {{"prefer", "wait=30"}});
  w.clock.run_for(100ms);
  Holder holder(w, w.queue.jobs.at(0).id);
  const auto done = Holder::done("");
  ASSERT_TRUE(holder.finish(done));
  ASSERT_TRUE(holder.end(done, ""));
  w.clock.run_for(3s);
  EXPECT_EQ(sent->status(), 200);
}

TEST(PreferWait, SeesTheEndInTheStoreWhileTheLogIsAway) {
  World w;
  const auto sent = w.begin(http::Method::post, "/v1/jobs", body, {{"prefer", "wait=30"}});
  w.clock.run_for(100ms);
  Holder holder(w, w.queue.jobs.at(0).id);
  w.log.fails = Errc::unavailable;
  ASSERT_TRUE(holder.finish(Holder::done("")));
  w.clock.run_for(3s);
  EXPECT_EQ(sent->status(), 200);
}

TEST(PreferWait, EndsWithItsClientAtOnceAndLeavesTheJob) {
  World w;
  FakeAsker asker(w.clock);
  const auto sent = w.begin(http::Method::post, "/v1/jobs", body, {{"prefer", "wait=30"}});
  sent->request.asker = &asker;
  w.clock.run_for(5s);
  EXPECT_FALSE(sent->response);
  EXPECT_TRUE(w.log.watched());
  asker.leave();
  w.clock.run_for(10ms);
  EXPECT_TRUE(sent->response);
  EXPECT_FALSE(w.log.watched());
  EXPECT_EQ(w.log.records.at(w.queue.jobs.at(0).id).state, JobState::queued);
}

// --- GET /v1/jobs/{id}

TEST(GetJob, ShowsEverythingAboutAnEndedJob) {
  World w;
  const JobId id =
      w.posted(R"({"input":"x","session":"s","model":"m","metadata":{"a":[1]},"deadline_s":60})");
  Holder holder(w, id);
  ASSERT_TRUE(holder.finish(Holder::done("the \"text\"")));
  const auto response = w.get(job_path(id));
  EXPECT_EQ(response.status, 200);
  const auto& json = response.body;
  EXPECT_EQ(at(json, "/id"), id.str());
  EXPECT_EQ(at(json, "/status"), "succeeded");
  EXPECT_EQ(at(json, "/kind"), "chat");
  EXPECT_EQ(at(json, "/session"), "s");
  EXPECT_EQ(at(json, "/model"), "m");
  EXPECT_EQ(at(json, "/created_at"), to_rfc3339(holder.job.created_at));
  EXPECT_EQ(at(json, "/deadline"), to_rfc3339(holder.job.created_at + 60s));
  EXPECT_NE(at(json, "/started_at"), "null");
  EXPECT_NE(at(json, "/ended_at"), "null");
  EXPECT_EQ(at(json, "/attempts"), "1");
  EXPECT_EQ(at(json, "/metadata"), R"({"a":[1]})");
  EXPECT_EQ(at(json, "/result/text"), "the \"text\"");
  EXPECT_EQ(at(json, "/result/finish_reason"), "stop");
  EXPECT_EQ(at(json, "/result/model"), "m");
  EXPECT_EQ(at(json, "/usage/total_tokens"), "3");
  EXPECT_EQ(at(json, "/error"), "null");
  EXPECT_EQ(at(json, "/links/cancel"), job_path(id) + "/cancel");
}

TEST(GetJob, ShowsWhyAJobFailedAndWhatItHadSaid) {
  World w;
  const JobId id = w.posted();
  Holder holder(w, id);
  Outcome failed;
  failed.state = JobState::failed;
  failed.text = "so far";
  failed.error_code = "upstream_error";
  failed.error_message = "no answer";
  failed.retryable = true;
  ASSERT_TRUE(holder.finish(failed));
  const auto json = w.get(job_path(id)).body;
  EXPECT_EQ(at(json, "/status"), "failed");
  EXPECT_EQ(at(json, "/error"),
            R"({"code":"upstream_error","message":"no answer","retryable":true})");
  EXPECT_EQ(at(json, "/result/text"), "so far");
  EXPECT_EQ(at(json, "/usage"), "null");
}

TEST(GetJob, ALiveJobIsShownAsTheLogHasIt) {
  World w;
  const JobId id = w.posted();
  EXPECT_EQ(at(w.get(job_path(id)).body, "/status"), "queued");
  w.log.records.at(id).state = JobState::retrying;
  w.log.records.at(id).attempt = 2;
  const auto json = w.get(job_path(id)).body;
  EXPECT_EQ(at(json, "/status"), "retrying");
  EXPECT_EQ(at(json, "/attempts"), "2");
  EXPECT_EQ(at(json, "/result"), "null");
}

TEST(GetJob, IsKnownBeforeItsRowIsWritten) {
  World w;
  w.store.notes_lag = true;
  const JobId id = w.posted();
  const auto response = w.get(job_path(id));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(at(response.body, "/status"), "queued");
}

TEST(GetJob, IsKnownBeforeItsRowIsWrittenThoughItsRecordIsLost) {
  World w;
  w.store.notes_lag = true;
  const JobId id = w.posted();
  w.log.lose_all();
  EXPECT_EQ(at(w.get(job_path(id)).body, "/status"), "queued");
}

TEST(GetJob, TheStoreWinsAboutAnEndedJob) {
  World w;
  const JobId id = w.posted();
  Holder holder(w, id);
  ASSERT_TRUE(holder.finish(Holder::done("")));
  EXPECT_EQ(w.log.records.at(id).state, JobState::running);
  EXPECT_EQ(at(w.get(job_path(id)).body, "/status"), "succeeded");
  w.log.lose_all();
  EXPECT_EQ(at(w.get(job_path(id)).body, "/status"), "succeeded");
}

TEST(GetJob, AnUnknownIdIs404AndAMalformedOneIs400) {
  World w;
  const auto unknown = w.get(job_path(derived_job_id("a", "b")));
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(at(unknown.body, "/code"), "job_not_found");
  EXPECT_EQ(w.get("/v1/jobs/abc").status, 400);
}

TEST(GetJob, AnotherTenantsJobIs404) {
  World w;
  const JobId id = w.posted();
  w.store.rows.at(id).tenant = "other";
  w.log.records.at(id).job.tenant = "other";
  EXPECT_EQ(w.get(job_path(id)).status, 404);
  EXPECT_EQ(w.cancel_by_post(id).status, 404);
  EXPECT_EQ(w.log.records.at(id).state, JobState::queued);
}

TEST(GetJob, WhileTheLogIsAwayAnIdTheStoreDoesNotKnowIs503) {
  World w;
  const JobId id = w.posted();
  w.log.fails = Errc::unavailable;
  EXPECT_EQ(w.get(job_path(id)).status, 200);
  const auto response = w.get(job_path(derived_job_id("a", "b")));
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(at(response.body, "/code"), "log_unavailable");
  EXPECT_NE(header(response, "Retry-After"), "");
}

TEST(GetJob, WhileTheStoreIsAwayALiveJobIsShownFromTheLog) {
  World w;
  const JobId id = w.posted();
  w.store.fails = Errc::timed_out;
  EXPECT_EQ(at(w.get(job_path(id)).body, "/status"), "queued");
  EXPECT_EQ(w.get(job_path(derived_job_id("a", "b"))).status, 503);
}

TEST(GetJob, AQueuedJobPastItsDeadlineIsEndedByLookingAtIt) {
  World w;
  const JobId id = w.posted(R"({"input":"x","deadline_s":10})");
  w.clock.run_for(9s);
  EXPECT_EQ(at(w.get(job_path(id)).body, "/status"), "queued");
  w.clock.run_for(2s);
  const auto response = w.get(job_path(id));
  EXPECT_EQ(at(response.body, "/status"), "expired");
  EXPECT_NE(at(response.body, "/ended_at"), "null");
  EXPECT_EQ(w.log.records.at(id).state, JobState::expired);
  EXPECT_NE(w.log.lines_of(id).find(" expired "), std::string::npos);
  EXPECT_EQ(at(w.get(job_path(id)).body, "/status"), "expired");
  EXPECT_EQ(w.store.finishes, 1u);
}

TEST(GetJob, AnUnacknowledgedJobExpiresTooAndARunningOneIsLeftToItsWorker) {
  World w;
  w.queue.fails = Errc::timed_out;
  const JobId orphan = w.posted(R"({"input":"x","deadline_s":10})");
  w.queue.fails.reset();
  const JobId running = w.posted(R"({"input":"x","deadline_s":10})");
  Holder holder(w, running);
  w.clock.run_for(11s);
  EXPECT_EQ(at(w.get(job_path(orphan)).body, "/status"), "expired");
  EXPECT_EQ(at(w.get(job_path(running)).body, "/status"), "running");
}

TEST(GetJob, ExpiresWhileTheLogIsAway) {
  World w;
  const JobId id = w.posted(R"({"input":"x","deadline_s":10})");
  w.clock.run_for(11s);
  w.log.fails = Errc::unavailable;
  EXPECT_EQ(at(w.get(job_path(id)).body, "/status"), "expired");
}

// --- GET /v1/jobs

TEST(ListJobs, GivesPagesNewestFirst) {
  World w;
  std::vector<JobId> ids;
  for (int i = 0; i < 25; ++i) {
    ids.push_back(w.posted());
    w.clock.run_for(2ms);
  }
  auto page = w.get("/v1/jobs");
  EXPECT_EQ(at(page.body, "/data/0/id"), ids[24].str());
  EXPECT_EQ(at(page.body, "/data/19/id"), ids[5].str());
  EXPECT_EQ(at(page.body, "/data/20"), "absent");
  EXPECT_EQ(at(page.body, "/has_more"), "true");
  EXPECT_EQ(at(page.body, "/next"), ids[5].str());
  page = w.get("/v1/jobs?after=" + at(page.body, "/next"));
  EXPECT_EQ(at(page.body, "/data/0/id"), ids[4].str());
  EXPECT_EQ(at(page.body, "/data/4/id"), ids[0].str());
  EXPECT_EQ(at(page.body, "/has_more"), "false");
  EXPECT_EQ(at(page.body, "/next"), "null");
  page = w.get("/v1/jobs?limit=25");
  EXPECT_EQ(at(page.body, "/has_more"), "false");
  EXPECT_EQ(at(page.body, "/data/24/id"), ids[0].str());
}

TEST(ListJobs, FiltersByStatusKindAndSession) {
  World w;
  const JobId in_session = w.posted(R"({"input":"x","session":"a b"})");
  const JobId cancelled = w.posted();
  w.cancel_by_post(cancelled);
  EXPECT_EQ(at(w.get("/v1/jobs?session=a%20b").body, "/data/0/id"), in_session.str());
  EXPECT_EQ(at(w.get("/v1/jobs?session=c").body, "/data"), "[]");
  EXPECT_EQ(at(w.get("/v1/jobs?status=cancelled&kind=chat").body, "/data/0/id"), cancelled.str());
  EXPECT_EQ(at(w.get("/v1/jobs?status=cancelled").body, "/data/1"), "absent");
  EXPECT_EQ(at(w.get("/v1/jobs?kind=analysis").body, "/data"), "[]");
}

TEST(ListJobs, EndsQueuedJobsPastTheirDeadlineOnTheWay) {
  World w;
  const JobId overdue = w.posted(R"({"input":"x","deadline_s":60})");
  const JobId running = w.posted(R"({"input":"x","deadline_s":60})");
  const Holder holder(w, running);
  const JobId queued = w.posted(R"({"input":"x","deadline_s":6000})");
  w.clock.run_for(61s);
  const auto page = w.get("/v1/jobs").body;
  EXPECT_EQ(at(page, "/data/0/id"), queued.str());
  EXPECT_EQ(at(page, "/data/0/status"), "queued");
  EXPECT_EQ(at(page, "/data/1/status"), "running") << "its holder ends it";
  EXPECT_EQ(at(page, "/data/2/status"), "expired");
  EXPECT_EQ(w.log.records.at(overdue).state, JobState::expired);
  EXPECT_NE(w.log.lines_of(overdue).find(" expired "), std::string::npos);
}

TEST(ListJobs, OfQueuedJobsHasNoneThatIsPastItsDeadline) {
  World w;
  w.posted(R"({"input":"x","deadline_s":60})");
  const JobId queued = w.posted(R"({"input":"x","deadline_s":6000})");
  w.clock.run_for(61s);
  const auto page = w.get("/v1/jobs?status=queued").body;
  EXPECT_EQ(at(page, "/data/0/id"), queued.str());
  EXPECT_EQ(at(page, "/data/1"), "absent");
}

TEST(ListJobs, LeavesResultsOut) {
  World w;
  const JobId id = w.posted();
  Holder holder(w, id);
  ASSERT_TRUE(holder.finish(Holder::done("long text")));
  const auto page = w.get("/v1/jobs");
  EXPECT_EQ(at(page.body, "/data/0/status"), "succeeded");
  EXPECT_EQ(at(page.body, "/data/0/result"), "absent");
}

TEST(ListJobs, AWrongParameterIs400NamingIt) {
  World w;
  const std::pair<const char*, const char*> wrong[] = {
      {"limit=0", "limit"},      {"limit=101", "limit"},      {"limit=x", "limit"},
      {"limit=", "limit"},       {"status=on", "status"},     {"after=1", "after"},
      {"state=queued", "state"}, {"kind=foo", "kind"},        {"kind=", "kind"},
      {"session=", "session"},   {"limit=1&limit=2", "limit"}};
  for (const auto& [query, name] : wrong) {
    const auto response = w.get(std::string("/v1/jobs?") + query);
    EXPECT_EQ(response.status, 400) << query;
    EXPECT_EQ(at(response.body, "/field"), name) << query;
  }
}

TEST(ListJobs, AfterAJobThatNobodyKnowsIs400) {
  World w;
  w.posted();
  const auto response = w.get("/v1/jobs?after=01890a5d-ac96-774b-bcce-b302099a8057");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(at(response.body, "/code"), "invalid_parameter");
  EXPECT_EQ(at(response.body, "/field"), "after");
}

TEST(ListJobs, WithoutTheStoreIs503) {
  World w;
  w.store.fails = Errc::unavailable;
  EXPECT_EQ(w.get("/v1/jobs").status, 503);
}

// --- health

TEST(Health, TheLoopIsAliveWhateverElseIsAway) {
  World w;
  w.log.fails = Errc::unavailable;
  w.store.fails = Errc::unavailable;
  w.queue_ready = false;
  EXPECT_EQ(w.get("/livez").status, 200);
}

TEST(Health, ReadyNamesEachDependency) {
  World w;
  EXPECT_EQ(w.get("/readyz").status, 200);
  w.queue_ready = false;
  auto response = w.get("/readyz");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(at(response.body, "/queue"), "unavailable");
  EXPECT_EQ(at(response.body, "/event_log"), "ok");
  w.queue_ready = true;
  w.log.fails = Errc::unavailable;
  EXPECT_EQ(at(w.get("/readyz").body, "/event_log"), "unavailable");
  w.log.fails.reset();
  w.store.fails = Errc::unavailable;
  EXPECT_EQ(at(w.get("/readyz").body, "/store"), "unavailable");
}

TEST(Health, WhatAnOperatorHasToMendIsToldAndNothingIsAcceptedMeanwhile) {
  World w;
  w.trouble = "the folder /data is gone: put it back";
  const auto ready = w.get("/readyz");
  EXPECT_EQ(ready.status, 503);
  EXPECT_EQ(at(ready.body, "/status"), "unavailable");
  EXPECT_EQ(at(ready.body, "/detail"), w.trouble);
  for (const auto& refused : {w.post(body), w.post(body, {{"idempotency-key", "k"}})}) {
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(at(refused.body, "/code"), "queue_unavailable");
    EXPECT_NE(header(refused, "Retry-After"), "");
  }
  EXPECT_TRUE(w.queue.jobs.empty());
  EXPECT_TRUE(w.log.records.empty());
  w.trouble.clear();
  EXPECT_EQ(w.post(body).status, 202);
  EXPECT_EQ(at(w.get("/readyz").body, "/detail"), "absent");
}

TEST(Health, MetricsCountAcceptedAttachedAndRefused) {
  World w;
  w.post(body, {{"idempotency-key", "k"}});
  w.post(body, {{"idempotency-key", "k"}});
  w.post("{}");
  w.queue.fails = Errc::unavailable;
  w.post(body);
  const auto response = w.get("/metrics");
  EXPECT_TRUE(response.content_type.starts_with("text/plain"));
  for (const auto* line : {"millrace_jobs_accepted_total 1", "millrace_jobs_attached_total 1",
                           "millrace_jobs_refused_total{code=\"missing_field\"} 1",
                           "millrace_jobs_refused_total{code=\"queue_unavailable\"} 1",
                           "millrace_job_accept_seconds_count 1"})
    EXPECT_NE(response.body.find(line), std::string::npos) << line;
}

}  // namespace
}  // namespace millrace::ingress_test
