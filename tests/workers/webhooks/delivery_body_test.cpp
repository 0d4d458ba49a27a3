#include "workers/webhooks/delivery_body.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include "shared/contract/envelope.h"

namespace millrace {
namespace {

StoredJob ended_job(std::string text) {
  Job job;
  job.id = *JobId::parse("0190a1b2-c3d4-7e5f-8071-92a3b4c5d6e7");
  job.input = R"("왜?")";
  job.metadata = R"({"order":"주문 1"})";
  job.envelope = R"({"webhook":{"url":"https://example.com/secret-path"}})";
  job.created_at = WallTime(std::chrono::milliseconds(1'767'225'600'000));
  job.deadline = job.created_at + 24h;
  job.envelope = encode_envelope(job);
  StoredJob stored = as_accepted(job);
  stored.state = JobState::succeeded;
  stored.ended_at = job.created_at + 1500ms;
  Outcome outcome;
  outcome.state = JobState::succeeded;
  outcome.text = std::move(text);
  outcome.usage = R"({"total_tokens":3})";
  stored.outcome = std::move(outcome);
  return stored;
}

TEST(DeliveryBody, IsTheEventItsTimeAndTheJobAsItIsShown) {
  const std::string body = delivery_body(ended_job("그래서 🎉"));
  EXPECT_TRUE(body.starts_with(
      R"({"type":"job.succeeded","timestamp":"2026-01-01T00:00:01.500Z","data":{"id":"0190a1b2)"))
      << body;
  EXPECT_NE(body.find(R"("text":"그래서 🎉")"), std::string::npos);
  EXPECT_NE(body.find(R"("metadata":{"order":"주문 1"})"), std::string::npos);
  EXPECT_NE(body.find(R"("usage":{"total_tokens":3})"), std::string::npos);
  EXPECT_EQ(body.find("secret-path"), std::string::npos);
  EXPECT_EQ(body.find("signature"), std::string::npos) << "links carry no permission";
  EXPECT_EQ(body.find("result_omitted"), std::string::npos);
  simdjson::dom::parser parser;
  simdjson::dom::object read;
  EXPECT_EQ(parser.parse(body).get(read), simdjson::SUCCESS);
  EXPECT_EQ(body, delivery_body(ended_job("그래서 🎉")));
}

TEST(DeliveryBody, AResultThatIsTooLargeIsLeftOutAndSaysSo) {
  const std::string body = delivery_body(ended_job(std::string(delivery_body_bytes_max, 'x')));
  EXPECT_LT(body.size(), 4096u);
  EXPECT_TRUE(body.ends_with(R"(,"result_omitted":true}})")) << body;
  EXPECT_NE(body.find(R"("result":null)"), std::string::npos);
  EXPECT_NE(body.find(R"("self":"/v1/jobs/0190a1b2-)"), std::string::npos);
}

}  // namespace
}  // namespace millrace
