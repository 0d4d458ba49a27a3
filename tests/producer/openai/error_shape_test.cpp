#include "producer/openai/error_shape.h"

#include <gtest/gtest.h>

#include "producer/openai/chat_completion.h"
#include "producer/openai/chat_failure.h"

namespace millrace::openai {
namespace {

std::string header(const http::Response& response, std::string_view name) {
  for (const auto& [each, value] : response.headers)
    if (each == name) return value;
  return {};
}

int status_of(std::string code) {
  Outcome outcome;
  outcome.error_code = std::move(code);
  return failure_of(outcome).status;
}

TEST(ErrorShape, IsOpenAisWithTheNativeDetailAndCode) {
  const auto response =
      error_response(refuse("invalid_field", "/messages/0/role", "`role` is \"x\"."));
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(response.body,
            R"({"error":{"message":"`role` is \"x\".","type":"invalid_request_error",)"
            R"("param":"messages[0].role","code":"invalid_field"}})");
}

TEST(ErrorShape, ParamsAreWrittenAsOpenAiWritesThem) {
  EXPECT_EQ(param_of("/input"), "input");
  EXPECT_EQ(param_of("/messages/12/content/0/type"), "messages[12].content[0].type");
  EXPECT_EQ(param_of("Idempotency-Key"), "Idempotency-Key");
  EXPECT_EQ(param_of("tools[0].type"), "tools[0].type");
  EXPECT_EQ(param_of(""), "");
}

TEST(ErrorShape, WhatPassesSaysWhen) {
  const auto response = error_response(refuse_for_now("overloaded", "", "Too many.", 3s));
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(header(response, "Retry-After"), "3");
  EXPECT_EQ(header(response, "x-should-retry"), "");
  EXPECT_TRUE(response.body.contains(R"("type":"server_error","param":null,"code":"overloaded")"));
}

TEST(ErrorShape, AJobThatMayRunIsNotToBeSentAgainByTheSdkItself) {
  auto refusal = refuse_for_now("outcome_unknown", "", "Perhaps.", 2s);
  refusal.id = *JobId::parse("01a1fe87-e606-7657-bf68-4eb31e12a026");
  const auto response = error_response(refusal);
  EXPECT_EQ(header(response, "x-should-retry"), "false");
  EXPECT_EQ(header(response, "X-Millrace-Job"), refusal.id->str());
}

TEST(ErrorShape, WhoAsksForAnUnknownPathHearsWhatOfTheApiThereIs) {
  const Problem unknown{404, "not_found", "There is no such path", "Served here: /a, /b.", ""};
  const auto told = path_error(unknown, "/v1/embeddings");
  EXPECT_EQ(told.status, 404);
  EXPECT_TRUE(told.body.starts_with(
      R"({"error":{"message":"millrace does not serve \"/v1/embeddings\". Of OpenAI's API it )"
      R"(serves /v1/chat/completions, )"))
      << told.body;
  EXPECT_TRUE(told.body.contains(R"("param":null,"code":"not_found")"));
  const Problem method{405, "method_not_allowed", "t", "Allowed here: POST.", ""};
  EXPECT_TRUE(path_error(method, "/v1/responses").body.contains("Allowed here: POST."));
}

TEST(ErrorShape, IsUsedForOpenAisPathsAlone) {
  EXPECT_TRUE(serves("/v1/chat/completions"));
  EXPECT_TRUE(serves("/v1/chat/nothing"));
  EXPECT_TRUE(serves("/v1/models"));
  for (const char* not_here : {"/v1/embeddings", "/v1/completions", "/v1/images/generations",
                               "/v1/audio/speech", "/v1/files", "/v1/vector_stores/x/files"})
    EXPECT_TRUE(serves(not_here)) << not_here;
  for (const char* own : {"/v1/jobs", "/v1/dead-letters", "/v1/embedding", "/v1/filesystem",
                          "/v1/webhooks/secret", "/v1/objects", "/v1/events", "/v1/queue"})
    EXPECT_FALSE(serves(own)) << own;
  EXPECT_TRUE(serves("/v1/models/a%2Fb"));
  EXPECT_FALSE(serves("/v1/modelsx"));
  EXPECT_FALSE(serves("/v1/jobs"));
  EXPECT_FALSE(serves(""));
}

TEST(ChatFailure, StatusSaysWhoseFaultItWas) {
  EXPECT_EQ(status_of("upstream_refused"), 400);
  EXPECT_EQ(status_of("upstream_not_found"), 404);
  EXPECT_EQ(status_of("upstream_busy"), 429);
  EXPECT_EQ(status_of("upstream_denied"), 502);
  EXPECT_EQ(status_of("upstream_cut"), 502);
  EXPECT_EQ(status_of("upstream_unavailable"), 503);
  EXPECT_EQ(status_of("upstream_timeout"), 504);
  EXPECT_EQ(status_of("poison"), 500);
  Outcome cancelled;
  cancelled.state = JobState::cancelled;
  EXPECT_EQ(failure_of(cancelled).status, 409);
}

TEST(ChatCompletion, IsOpenAisShapeWithTheModelThatAnswered) {
  Outcome outcome;
  outcome.state = JobState::succeeded;
  outcome.text = "a \"b\"\n한글";
  outcome.finish_reason = "stop";
  outcome.model = "m-2026";
  outcome.usage = R"({"total_tokens":3})";
  const auto id = *JobId::parse("01a1fe87-e606-7657-bf68-4eb31e12a026");
  EXPECT_EQ(completion_json(id, WallTime(std::chrono::milliseconds(1'790'000'000'999)), outcome),
            R"({"id":"chatcmpl-01a1fe87-e606-7657-bf68-4eb31e12a026","object":"chat.completion",)"
            R"("created":1790000000,"model":"m-2026","choices":[{"index":0,"message":)"
            R"({"role":"assistant","content":"a \"b\"\n한글","refusal":null},"logprobs":null,)"
            R"("finish_reason":"stop"}],"usage":{"total_tokens":3}})");
}

TEST(ChatCompletion, ToolCallsWithoutWordsHaveNoContent) {
  Outcome outcome;
  outcome.state = JobState::succeeded;
  outcome.finish_reason = "tool_calls";
  outcome.tool_calls = {{"c1", "f", R"({"x":1})"}, {"c2", "g", "{}"}};
  const auto json = completion_json(JobId(), WallTime(), outcome);
  EXPECT_TRUE(json.contains(
      R"("content":null,"refusal":null,"tool_calls":[)"
      R"({"id":"c1","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},)"
      R"({"id":"c2","type":"function","function":{"name":"g","arguments":"{}"}}]})"))
      << json;
  EXPECT_FALSE(json.contains("usage"));
}

}  // namespace
}  // namespace millrace::openai
