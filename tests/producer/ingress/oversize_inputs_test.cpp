#include "producer/ingress/oversize_inputs.h"

#include "producer/ingress/limits.h"
#include "tests/producer/ingress/world.h"

namespace millrace::ingress_test {
namespace {

constexpr std::size_t large = 1'000'000;
const Headers key{{"idempotency-key", "order-17"}};

/// With an input of so many bytes of JSON.
std::string body_of(std::size_t bytes, char letter = 'x') {
  return R"({"metadata":{"a":1},"input":")" + std::string(bytes - 2, letter) + "\"}";
}

const FakeObjects::Kept& input_of(const World& w, const Job& job) {
  return w.objects.kept.at({job.tenant, job.input_ref.value().key});
}

TEST(OversizeInput, IsAnObjectThatTheEnvelopeNames) {
  World w;
  const auto response = w.post(body_of(large));
  ASSERT_EQ(response.status, 202);
  ASSERT_EQ(w.queue.jobs.size(), 1u);
  const Job& job = w.queue.jobs[0];
  EXPECT_TRUE(job.input.empty());
  const auto& object = input_of(w, job);
  EXPECT_EQ(object.bytes, '"' + std::string(large - 2, 'x') + '"');
  EXPECT_EQ(job.input_ref->size, large);
  EXPECT_EQ(job.input_ref->sha256, fingerprint(object.bytes));
  EXPECT_EQ(object.info.expires_at, job.deadline + limits::large_input_kept);
  EXPECT_NE(job.input_ref->key.find(w.id_of(response).str()), std::string::npos);
  EXPECT_LT(job.envelope.size(), 1000u);
  EXPECT_EQ(job.envelope, encode_envelope(job));
  EXPECT_EQ(w.store.rows.at(job.id).envelope, job.envelope);
}

TEST(OversizeInput, BeginsOneByteAboveWhatTheEnvelopeHolds) {
  World w;
  EXPECT_EQ(w.post(body_of(limits::input_bytes_max)).status, 202);
  EXPECT_TRUE(w.objects.kept.empty());
  EXPECT_FALSE(w.queue.jobs[0].input_ref);
  EXPECT_EQ(w.post(body_of(limits::input_bytes_max + 1)).status, 202);
  EXPECT_EQ(w.objects.kept.size(), 1u);
  EXPECT_TRUE(w.queue.jobs[1].input_ref);
}

TEST(OversizeInput, AMessageListIsKeptAsItIs) {
  World w;
  const std::string list = R"([{"role":"system","content":"s"},{"role":"user","content":")" +
                           std::string(large, 'x') + R"("}])";
  EXPECT_EQ(w.post(R"({"input":)" + list + "}").status, 202);
  EXPECT_EQ(input_of(w, w.queue.jobs.at(0)).bytes, list);
}

TEST(OversizeInput, ItsJobLinksToItForAsLongAsToItsEvents) {
  World w;
  const JobId id = w.posted(body_of(large));
  const auto until = to_rfc3339(w.clock.wall() + limits::stream_url_valid).substr(0, 19);
  const auto link = at(w.get(job_path(id)).body, "/links/input");
  EXPECT_TRUE(link.starts_with("/" + w.queue.jobs.at(0).input_ref.value().key + "?until=" + until))
      << link << " " << until;
  EXPECT_EQ(w.get("/v1/jobs").body.find("until="), std::string::npos);
  EXPECT_EQ(w.get(job_path(w.posted(R"({"input":"x"})"))).body.find(R"("input":)"),
            std::string::npos);
}

TEST(OversizeInput, ItsJobIsShownLikeAnyOther) {
  World w;
  const JobId id = w.posted(body_of(large));
  const auto shown = w.get("/v1/jobs/" + id.str());
  EXPECT_EQ(shown.status, 200);
  EXPECT_EQ(at(shown.body, "/status"), "queued");
  EXPECT_EQ(at(shown.body, "/metadata"), R"({"a":1})");
  EXPECT_EQ(w.cancel_by_post(id).status, 200);
  EXPECT_EQ(at(w.get("/v1/jobs/" + id.str()).body, "/status"), "cancelled");
}

TEST(OversizeInput, WithoutTheObjectsNothingIsKeptAndTheRemedyIsTold) {
  for (const Errc error : {Errc::unavailable, Errc::overloaded, Errc::timed_out}) {
    for (const auto& headers : {Headers{}, key}) {
      World w;
      w.objects.fails = error;
      const auto response = w.post(body_of(large), headers);
      EXPECT_EQ(response.status, 503);
      EXPECT_EQ(at(response.body, "/code"), "objects_unavailable");
      EXPECT_EQ(at(response.body, "/field"), "/input");
      EXPECT_EQ(at(response.body, "/id"), "absent");
      EXPECT_NE(at(response.body, "/detail").find("Try again"), std::string::npos);
      EXPECT_NE(header(response, "Retry-After"), "");
      EXPECT_TRUE(w.queue.jobs.empty());
      EXPECT_TRUE(w.log.records.empty());
      EXPECT_TRUE(w.store.rows.empty());
      EXPECT_EQ(w.post(R"({"input":"small"})").status, 202);
      w.objects.fails.reset();
      EXPECT_EQ(w.post(body_of(large), headers).status, 202);
    }
  }
}

TEST(OversizeInput, GoesAgainWhenItsJobIsCertainlyNotQueued) {
  for (const auto& headers : {Headers{}, key}) {
    World w;
    w.queue.fails = Errc::unavailable;
    EXPECT_EQ(w.post(body_of(large), headers).status, 503);
    EXPECT_TRUE(w.objects.kept.empty());
    EXPECT_TRUE(w.log.records.empty());
  }
}

TEST(OversizeInput, StaysWhereItsJobMayRun) {
  World w;
  w.queue.fails = Errc::timed_out;
  EXPECT_EQ(w.post(body_of(large)).status, 503);
  input_of(w, w.queue.jobs.at(0));
  EXPECT_EQ(w.objects.kept.size(), 1u);
}

TEST(OversizeInput, IsNotWrittenAgainByARetryThatFindsItsJob) {
  World w;
  const auto first = w.post(body_of(large), key);
  const std::string envelope = w.queue.jobs.at(0).envelope;
  w.clock.run_for(5s);
  const auto again = w.post(body_of(large), key);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(header(again, "Idempotent-Replayed"), "true");
  EXPECT_EQ(w.post(body_of(large, 'y'), key).status, 422);
  EXPECT_EQ(w.queue.jobs.size(), 1u);
  EXPECT_EQ(w.objects.kept.size(), 1u);
  EXPECT_LT(input_of(w, w.queue.jobs[0]).info.created_at, w.queue.jobs[0].created_at + 1s);
}

TEST(OversizeInput, ARowMadeByAWorkerIsComparedByWhatItNames) {
  World w;
  const auto first = w.post(body_of(large), key);
  w.store.rows.at(w.id_of(first)).fingerprint.clear();
  w.log.lose_all();
  EXPECT_EQ(w.post(body_of(large), key).status, 202);
  EXPECT_EQ(w.post(body_of(large, 'y'), key).status, 422);
  EXPECT_EQ(w.post(body_of(1000), key).status, 422);
  EXPECT_EQ(w.queue.jobs.size(), 1u);
}

TEST(OversizeInput, NoRetryChangesWhatAQueuedEnvelopeNames) {
  World w;
  w.queue.fails = Errc::timed_out;
  EXPECT_EQ(w.post(body_of(large), key).status, 503);
  w.queue.fails = Errc::unavailable;
  EXPECT_EQ(w.post(body_of(large), key).status, 503);
  ASSERT_EQ(w.queue.jobs.size(), 1u);
  EXPECT_EQ(input_of(w, w.queue.jobs[0]).bytes.size(), large);
  w.queue.fails.reset();
  EXPECT_EQ(w.post(body_of(large), key).status, 202);
  ASSERT_EQ(w.queue.jobs.size(), 2u);
  for (const auto& job : w.queue.jobs) EXPECT_EQ(input_of(w, job).bytes.size(), large);
  EXPECT_EQ(w.queue.jobs[0].input_ref->sha256, w.queue.jobs[1].input_ref->sha256);
}

TEST(OversizeInput, WithTheLogAwayAnotherBodyUnderTheKeyDoesNotTouchTheFirstOnes) {
  World w;
  w.log.fails = Errc::unavailable;
  w.store.notes_lag = true;
  EXPECT_EQ(w.post(body_of(large), key).status, 202);
  w.store.rows.clear();
  w.post(body_of(large, 'y'), key);
  EXPECT_EQ(input_of(w, w.queue.jobs.at(0)).bytes[1], 'x');
}

TEST(OversizeInput, NothingIsWrittenForASessionThatIsFull) {
  World w;
  w.log.session_jobs_max = 0;
  const auto response = w.post(R"({"session":"s","input":")" + std::string(large, 'x') + "\"}");
  EXPECT_EQ(response.status, 429);
  EXPECT_TRUE(w.objects.kept.empty());
}

TEST(OversizeInput, MoreBytesOnTheirWayThanTheLimitAre503AndSmallJobsPass) {
  World w;
  w.objects.latency = 1s;
  const std::size_t fit = ingress_limits::oversize_inputs_bytes_max / (4 * large);
  std::vector<std::unique_ptr<World::Exchange>> sent;
  for (std::size_t i = 0; i <= fit; ++i)
    sent.push_back(w.begin(http::Method::post, "/v1/jobs", body_of(4 * large)));
  w.clock.run_for(100ms);
  ASSERT_TRUE(sent.back()->response);
  EXPECT_EQ(sent.back()->status(), 503);
  EXPECT_EQ(at(sent.back()->response->body, "/code"), "overloaded");
  EXPECT_NE(header(*sent.back()->response, "Retry-After"), "");
  EXPECT_EQ(w.post(R"({"input":"small"})").status, 202);
  w.clock.run_for(5s);
  sent.pop_back();
  for (const auto& exchange : sent) EXPECT_EQ(exchange->status(), 202);
  EXPECT_EQ(w.post(body_of(4 * large)).status, 202);
}

TEST(OversizeInput, IsHeldOnceWhileItsJobWaits) {
  World w;
  w.objects.latency = 1s;
  const auto sent = w.begin(http::Method::post, "/v1/jobs", body_of(large));
  w.clock.run_for(100ms);
  EXPECT_FALSE(sent->response);
  EXPECT_LT(sent->request.body.capacity(), 100u);
  w.clock.run_for(10s);  // its request must live as long as it is handled
  EXPECT_TRUE(sent->response);
}

}  // namespace
}  // namespace millrace::ingress_test
