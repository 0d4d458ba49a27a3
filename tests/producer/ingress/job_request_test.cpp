#include "producer/ingress/job_request.h"

#include <gtest/gtest.h>

#include "shared/contract/envelope.h"
#include "shared/contract/raw_members.h"
#include "shared/contract/webhook.h"

namespace millrace {
namespace {

const WallTime now = *from_rfc3339("2026-03-01T12:00:00.000Z");

std::expected<Job, Problem> parse(std::string_view body) {
  return parse_job_request(body, now);
}

/// The body with one member beside a good `input`.
std::string with(std::string_view member) {
  return R"({"input":"hi",)" + std::string(member) + "}";
}

Job good(std::string_view body) {
  auto job = parse(body);
  EXPECT_TRUE(job) << body << ": " << (job ? "" : job.error().detail);
  return job.value_or(Job{});
}

struct Bad {
  std::string body;
  int status;
  std::string code;
  std::string field;
  std::string says;  ///< a part of the detail: the limit or the remedy
};

std::string times(std::size_t count, std::string_view text) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

class BadRequest : public ::testing::TestWithParam<Bad> {};

TEST_P(BadRequest, IsRefusedNamingFieldLimitAndRemedy) {
  const auto& bad = GetParam();
  const auto job = parse(bad.body);
  ASSERT_FALSE(job) << bad.body;
  EXPECT_EQ(job.error().status, bad.status);
  EXPECT_EQ(job.error().code, bad.code);
  EXPECT_EQ(job.error().field, bad.field);
  EXPECT_NE(job.error().detail.find(bad.says), std::string::npos) << job.error().detail;
  EXPECT_FALSE(job.error().title.empty());
}

std::string nested(int levels) {
  return R"({"input":"hi","metadata":{"a":)" + std::string(levels - 2, '[') +
         std::string(levels - 2, ']') + "}}";
}

INSTANTIATE_TEST_SUITE_P(
    Body, BadRequest,
    ::testing::Values(
        Bad{"", 400, "invalid_json", "body", "JSON"}, Bad{"{", 400, "invalid_json", "body", "JSON"},
        Bad{R"({"input":"hi"} x)", 400, "invalid_json", "body", "JSON"},
        Bad{R"([{"input":"hi"}])", 400, "invalid_json", "body", "x-ndjson"},
        Bad{R"("hi")", 400, "invalid_json", "body", "object"},
        Bad{"{\"input\":\"h\xff\"}", 400, "invalid_json", "body", "UTF-8"},
        Bad{R"({"input":"\ud800"})", 400, "invalid_json", "body", "surrogate"},
        Bad{R"({"input":"\udc00 lone"})", 400, "invalid_json", "body", "surrogate"},
        Bad{with(R"("metadata":{"a":1e400,"b":01})"), 400, "invalid_json", "body", "number"},
        Bad{nested(65), 400, "invalid_json", "body", "64"},
        Bad{R"({})", 400, "missing_field", "/input", "required"},
        Bad{R"({"model":"m"})", 400, "missing_field", "/input", "{role, content}"},
        Bad{with(R"("inputs":1)"), 400, "unknown_field", "/inputs", "max_tokens"},
        Bad{with(R"("webhook":7)"), 400, "invalid_field", "/webhook", "URL"},
        Bad{with(R"("webhook":"ftp://a.example")"), 400, "invalid_field", "/webhook", "https://"},
        Bad{with(R"("webhook":"http://u:p@a.example")"), 400, "invalid_field", "/webhook", "user"},
        Bad{with(R"("webhook":"http://2130706433:8080")"), 400, "invalid_field", "/webhook",
            "WEBHOOK_ALLOW"},
        Bad{with(R"("webhook":{"url":"http://[::ffff:10.0.0.1]/"})"), 400, "invalid_field",
            "/webhook/url", "WEBHOOK_ALLOW"},
        Bad{with(R"("webhook":{})"), 400, "missing_field", "/webhook/url", "url"},
        Bad{with(R"("webhook":{"url":null})"), 400, "invalid_field", "/webhook/url", "string"},
        Bad{with(R"("webhook":{"url":"http://a.example","events":[]})"), 400, "invalid_field",
            "/webhook/events", "job.succeeded"},
        Bad{with(R"("webhook":{"url":"http://a.example","events":["job.done"]})"), 400,
            "invalid_field", "/webhook/events/0", "job.expired"},
        Bad{with(R"("webhook":{"url":"http://a.example","events":["job.failed","job.failed"]})"),
            400, "duplicate_field", "/webhook/events/1", "once"},
        Bad{with(R"("webhook":{"url":"http://a.example","url":"http://b.example"})"), 400,
            "duplicate_field", "/webhook/url", "once"},
        Bad{with(R"("webhook":{"url":"http://a.example","to":1})"), 400, "unknown_field",
            "/webhook/to", "events"},
        Bad{with(R"("a~b/c":1)"), 400, "unknown_field", "/a~0b~1c", "metadata"},
        Bad{R"({"input":"a","input":"b"})", 400, "duplicate_field", "/input", "once"},
        Bad{R"({"input":"a","\u0069nput":"b"})", 400, "duplicate_field", "/input", "once"}));

INSTANTIATE_TEST_SUITE_P(
    Input, BadRequest,
    ::testing::Values(
        Bad{R"({"input":""})", 400, "invalid_field", "/input", "empty"},
        Bad{R"({"input":null})", 400, "invalid_field", "/input", "{role, content}"},
        Bad{R"({"input":5})", 400, "invalid_field", "/input", "non-empty string"},
        Bad{R"({"input":{}})", 400, "invalid_field", "/input", "list"},
        Bad{R"({"input":[]})", 400, "invalid_field", "/input", "at least one"},
        Bad{R"({"input":["hi"]})", 400, "invalid_field", "/input/0", "{role, content}"},
        Bad{R"({"input":[{"role":"user","content":"a"},{"role":"tool","content":"b"}]})", 400,
            "invalid_field", "/input/1/role", "\"assistant\""},
        Bad{R"({"input":[{"role":7,"content":"b"}]})", 400, "invalid_field", "/input/0/role",
            "\"user\""},
        Bad{R"({"input":[{"role":"user","content":""}]})", 400, "invalid_field", "/input/0/content",
            "empty"},
        Bad{R"({"input":[{"role":"user","content":[]}]})", 400, "invalid_field", "/input/0/content",
            "string"},
        Bad{R"({"input":[{"role":"user"}]})", 400, "missing_field", "/input/0/content", "both"},
        Bad{R"({"input":[{"content":"x"}]})", 400, "missing_field", "/input/0/role", "both"},
        Bad{R"({"input":[{"role":"user","content":"a","name":"b"}]})", 400, "unknown_field",
            "/input/0/name", "role, content"},
        Bad{R"({"input":[{"role":"user","content":"a","content":"b"}]})", 400, "duplicate_field",
            "/input/0/content", "once"}));

INSTANTIATE_TEST_SUITE_P(
    Fields, BadRequest,
    ::testing::Values(
        Bad{with(R"("kind":"analysis")"), 400, "not_supported", "/kind", "CSV analysis"},
        Bad{with(R"("kind":"batch_part")"), 400, "not_supported", "/kind", "batches"},
        Bad{with(R"("kind":"poem")"), 400, "invalid_field", "/kind", "\"chat\""},
        Bad{with(R"("kind":1)"), 400, "invalid_field", "/kind", "\"chat\""},
        Bad{with(R"("model":"")"), 400, "invalid_field", "/model", "1 to 200"},
        Bad{with(R"("model":")" + std::string(201, 'm') + '"'), 400, "invalid_field", "/model",
            "201 bytes"},
        Bad{with(R"("model":"a\u0007b")"), 400, "invalid_field", "/model", "control"},
        Bad{with(R"("session":"")"), 400, "invalid_field", "/session", "1 to 200"},
        Bad{with(R"("session":5)"), 400, "invalid_field", "/session", "string"},
        Bad{with(R"("session":"a\nb")"), 400, "invalid_field", "/session", "control"},
        Bad{with(R"("max_tokens":0)"), 400, "invalid_field", "/max_tokens", "131072"},
        Bad{with(R"("max_tokens":-1)"), 400, "invalid_field", "/max_tokens", "131072"},
        Bad{with(R"("max_tokens":131073)"), 400, "invalid_field", "/max_tokens", "131072"},
        Bad{with(R"("max_tokens":1.5)"), 400, "invalid_field", "/max_tokens", "whole"},
        Bad{with(R"("max_tokens":1000000000000000000000000000000)"), 400, "invalid_field",
            "/max_tokens", "whole"},
        Bad{with(R"("max_tokens":1e400)"), 400, "invalid_field", "/max_tokens", "whole"},
        Bad{with(R"("temperature":-1e400)"), 400, "invalid_field", "/temperature", "0 to 2"},
        Bad{with(R"("deadline_s":1e999)"), 400, "invalid_field", "/deadline_s", "604800"},
        Bad{with(R"("unknown":1e999)"), 400, "unknown_field", "/unknown", "metadata"},
        Bad{with(R"("max_tokens":"7")"), 400, "invalid_field", "/max_tokens", "whole"},
        Bad{with(R"("temperature":-0.1)"), 400, "invalid_field", "/temperature", "0 to 2"},
        Bad{with(R"("temperature":2.1)"), 400, "invalid_field", "/temperature", "0 to 2"},
        Bad{with(R"("temperature":"hot")"), 400, "invalid_field", "/temperature", "0 to 2"},
        Bad{with(R"("priority":"high")"), 400, "invalid_field", "/priority", "\"bulk\""},
        Bad{with(R"("priority":1)"), 400, "invalid_field", "/priority", "\"bulk\""},
        Bad{with(R"("not_before":"tomorrow")"), 400, "invalid_field", "/not_before", "RFC 3339"},
        Bad{with(R"("not_before":1)"), 400, "invalid_field", "/not_before", "RFC 3339"},
        Bad{with(R"("not_before":"2026-03-02T12:00:00Z")"), 400, "invalid_field", "/not_before",
            "2026-03-02T12:00:00.000Z"},
        Bad{with(R"("deadline_s":0)"), 400, "invalid_field", "/deadline_s", "604800"},
        Bad{with(R"("deadline_s":604801)"), 400, "invalid_field", "/deadline_s", "7 days"},
        Bad{with(R"("deadline_s":"1")"), 400, "invalid_field", "/deadline_s", "number"},
        Bad{with(R"("metadata":[])"), 400, "invalid_field", "/metadata", "object"},
        Bad{with(R"("metadata":{"a":")" + std::string(16 * 1024, 'x') + "\"}"), 413, "too_large",
            "/metadata", "16 KiB"},
        Bad{with(R"("metadata":{"a":{"b":[1,{"c":1,"c":2}]}})"), 400, "duplicate_field",
            "/metadata/a/b/1/c", "once"},
        Bad{with(R"("on_busy":"steer")"), 400, "not_supported", "/on_busy", "agents"},
        Bad{with(R"("on_busy":"reject")"), 400, "invalid_field", "/on_busy", "`session`"},
        Bad{with(R"("on_busy":"wait")"), 400, "invalid_field", "/on_busy", "\"rollback\""},
        Bad{with(R"("tools":[{}])"), 400, "not_supported", "/tools", "agent"},
        Bad{with(R"("tools":{})"), 400, "invalid_field", "/tools", "empty list"}));

TEST(JobRequest, AStringAloneIsAChatWithTheDefaults) {
  const Job job = good(R"({"input":"hello"})");
  EXPECT_EQ(job.kind, "chat");
  EXPECT_EQ(job.tenant, "default");
  EXPECT_EQ(job.input, "\"hello\"");
  EXPECT_EQ(job.session, "");
  EXPECT_EQ(job.model, "");
  EXPECT_EQ(job.max_tokens, std::nullopt);
  EXPECT_EQ(job.temperature, std::nullopt);
  EXPECT_EQ(job.priority, Priority::interactive);
  EXPECT_EQ(job.created_at, now);
  EXPECT_EQ(job.not_before, std::nullopt);
  EXPECT_EQ(job.deadline, now + 24h);
  EXPECT_EQ(job.on_busy, "enqueue");
  EXPECT_EQ(job.metadata, "");
}

TEST(JobRequest, AWholeNumberMayBeWrittenWithAFraction) {
  EXPECT_EQ(good(R"({"input":"x","max_tokens":372.0})").max_tokens, 372u);
  EXPECT_EQ(good(R"({"input":"x","max_tokens":1e2})").max_tokens, 100u);
}

TEST(JobRequest, EveryFieldIsTaken) {
  const Job job = good(
      R"({"kind":"chat","input":[{"role":"system","content":"s"},{"role":"user","content":"u"},)"
      R"({"role":"assistant","content":"a"},{"role":"developer","content":"d"}],"model":"m-1",)"
      R"("max_tokens":131072,"temperature":2,"session":"s/1 ü","priority":"bulk",)"
      R"("not_before":"2026-03-01T13:00:00+00:30","deadline_s":7200.5,)"
      R"("metadata":{"a":[1,"x"]},"on_busy":"enqueue","tools":[]})");
  EXPECT_EQ(job.model, "m-1");
  EXPECT_EQ(job.max_tokens, 131072u);
  EXPECT_EQ(job.temperature, 2.0);
  EXPECT_EQ(job.session, "s/1 ü");
  EXPECT_EQ(job.priority, Priority::bulk);
  EXPECT_EQ(job.not_before, now + 30min);
  EXPECT_EQ(job.deadline, now + 7200500ms);
  EXPECT_EQ(job.metadata, R"({"a":[1,"x"]})");
}

TEST(JobRequest, AWebhookIsAUrlOrAnObjectWithIt) {
  const auto webhook = [](const std::string& value) {
    return webhook_in(good(R"({"input":"x","webhook":)" + value + "}").envelope);
  };
  EXPECT_EQ(webhook(R"("https://a.example/x?y")"), (Webhook{"https://a.example/x?y", every_end}));
  EXPECT_EQ(webhook(R"({"url":"http://a.example","events":null})")->ends, every_end);
  EXPECT_EQ(webhook(R"({"events":["job.failed","job.expired"],"url":"http://a.example"})"),
            (Webhook{"http://a.example", end_bit(JobState::failed) | end_bit(JobState::expired)}));
  EXPECT_FALSE(webhook("null"));
}

TEST(JobRequest, NullIsTheSameAsLeavingOut) {
  const Job job =
      good(R"({"input":"x","kind":null,"model":null,"max_tokens":null,"temperature":null,)"
           R"("session":null,"priority":null,"not_before":null,"deadline_s":null,"metadata":null,)"
           R"("on_busy":null,"tools":null})");
  EXPECT_EQ(job.deadline, now + 24h);
  EXPECT_EQ(job.metadata, "");
}

TEST(JobRequest, InputAndMetadataStayTheTextTheyWere) {
  const Job job = good(
      R"( { "model" : "m" , "metadata" : { "n" : 1.50 , "q":"a\"}]\\" } , "input" : "\u00e9\\\"x" } )");
  EXPECT_EQ(job.input, R"("\u00e9\\\"x")");
  EXPECT_EQ(job.metadata, R"({ "n" : 1.50 , "q":"a\"}]\\" })");
}

TEST(JobRequest, NumbersOfAnySizePassThroughMetadata) {
  const std::string metadata =
      R"({"order":123456789012345678901234567890,"x":[1e400,-1E+999,1.50],"s":"\\\" 1e999"})";
  Job job = good(with(R"("temperature":0.5,"metadata":)" + metadata));
  EXPECT_EQ(job.metadata, metadata);
  EXPECT_EQ(job.temperature, 0.5);
  job.id = derived_job_id("t", "k");
  const auto read = decode_envelope(encode_envelope(job));
  const auto* again = std::get_if<Job>(&read);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->metadata, metadata);
}

TEST(JobRequest, WhatSpansLinesIsPutOnOne) {
  const Job job = good("{\n \"input\": [\r\n {\"role\": \"user\",\n \"content\": \"a b\"}\n]\n}");
  EXPECT_EQ(job.input, R"([{"role":"user","content":"a b"}])");
}

TEST(JobRequest, TheLimitsThemselvesAreAllowed) {
  good(with(R"("session":")" + std::string(200, 's') + '"'));
  good(with(R"("metadata":{"a":")" + std::string(16 * 1024 - 8, 'x') + "\"}"));
  good(with(R"("max_tokens":1,"temperature":0)"));
  good(with(R"("deadline_s":604800)"));
  good(with(R"("deadline_s":0.001)"));
  good(with(R"("not_before":"2026-03-02T11:59:59.999Z")"));
  good(with(R"("not_before":"2020-01-01T00:00:00Z")"));
  good(nested(64));
}

TEST(JobRequest, ALongInputIsWrittenWithoutEscapesItDoesNotNeed) {
  const Job job = good(R"({"input":")" + times(50'000, R"(\uc548)") + "\"}");
  EXPECT_EQ(job.input, '"' + times(50'000, "안") + '"');
}

TEST(JobRequest, AnInputIsAsLargeAsTheBodyLets) {
  const std::string text(8'000'000, 'x');
  EXPECT_EQ(good(R"({"input":")" + text + "\"}").input.size(), text.size() + 2);
  const Job list = good(R"({"input":[{"role":"user","content":")" + text + R"("}]})");
  EXPECT_EQ(list.input, R"([{"role":"user","content":")" + text + R"("}])");
  EXPECT_EQ(good(R"({"input":"hi"})").input, R"("hi")");
}

TEST(JobRequest, SurvivesTheEnvelope) {
  Job job =
      good(R"({"input":[{"role":"user","content":"ü \u0000"}],"metadata":{"a":1},"session":"s"})");
  job.id = derived_job_id("t", "k");
  const auto read = decode_envelope(encode_envelope(job));
  const auto* again = std::get_if<Job>(&read);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->session, "s");
  EXPECT_EQ(again->metadata, job.metadata);
  EXPECT_EQ(again->deadline, job.deadline);
}

TEST(JobRequest, ALongForeignNameIsCutInTheAnswer) {
  const auto job = parse(with('"' + std::string(5000, 'z') + "\":1"));
  ASSERT_FALSE(job);
  EXPECT_LT(job.error().field.size(), 200u);
  EXPECT_LT(job.error().detail.size(), 500u);
}

}  // namespace
}  // namespace millrace
