#include "shared/runtime/json_text.h"
#include "tests/workers/llm_sim/sim_world.h"

namespace millrace {
namespace {

using Fault = SimTest;
using Refusal = SimTest;

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_F(Fault, CutClosesTheSocketAfterThatToken) {
  auto& exchange = chat("sim-5ms-30tok-5gap-cut12");
  clock.run_for(10s);
  EXPECT_TRUE(exchange.reader.cut);
  EXPECT_EQ(tokens_in(exchange.reader.text).size(), 12u);
  EXPECT_FALSE(has(exchange.reader.text, "[DONE]"));
  EXPECT_TRUE(counts(R"("faults":{"cut":1})"));
}

TEST_F(Fault, CutStrikesOnlyTheRequestThatSendsThatToken) {
  auto& first = chat("sim-0ms-30tok-0gap-cut12");
  clock.run_for(0s);
  const auto said = joined(tokens_in(first.reader.text));
  auto& second = chat("sim-0ms-30tok-0gap-cut12", R"(,"stream":true)", "", said);
  clock.run_for(0s);
  EXPECT_EQ(tokens_in(second.reader.text).size(), 18u);
  EXPECT_TRUE(second.reader.ended);
}

TEST_F(Fault, CutZeroSendsNoTokenAtAll) {
  auto& exchange = chat("sim-5ms-30tok-5gap-cut0");
  clock.run_for(10s);
  EXPECT_TRUE(exchange.reader.cut);
  EXPECT_TRUE(tokens_in(exchange.reader.text).empty());
}

TEST_F(Fault, StallKeepsTheSocketOpenInSilence) {
  auto& few = chat("sim-5ms-30tok-5gap-stall");
  auto& five = chat("sim-5ms-30tok-5gap-stall5");
  clock.run_for(24h);
  EXPECT_EQ(tokens_in(few.reader.text).size(), 3u);
  EXPECT_EQ(tokens_in(five.reader.text).size(), 5u);
  EXPECT_FALSE(five.reader.ended || five.reader.cut);
  five.reader.leave();
  clock.run_for(0s);
  EXPECT_TRUE(five.reader.ended);
  EXPECT_TRUE(counts(R"("open":1)") && counts(R"("client_closes":1)"));
}

TEST_F(Fault, GarbageIsALineThatIsNoJsonInAStreamThatEndsWell) {
  for (const char* model : {"sim-0ms-30tok-0gap-garbage", "sim-0ms-2tok-0gap-garbage"}) {
    auto& exchange = chat(model);
    clock.run_for(0s);
    EXPECT_TRUE(has(exchange.reader.text, "data: {\"id\": this is not JSON\n\n"));
    EXPECT_TRUE(exchange.reader.text.ends_with("data: [DONE]\n\n"));
  }
}

TEST_F(Fault, HalfUtf8EndsInsideACharacter) {
  auto& exchange = chat("sim-0ms-3tok-0gap-halfutf8");
  clock.run_for(0s);
  const auto tokens = tokens_in(exchange.reader.text);
  ASSERT_EQ(tokens.size(), 4u);
  EXPECT_FALSE(valid_utf8(tokens[3]));
  EXPECT_TRUE(exchange.reader.text.ends_with("data: [DONE]\n\n"));
}

TEST_F(Fault, EndlessGoesOnPastEveryLimit) {
  auto& exchange = chat("sim-0ms-3tok-10gap-endless", R"(,"stream":true,"max_tokens":5)");
  clock.run_for(60s);
  EXPECT_EQ(tokens_in(exchange.reader.text).size(), 6001u);
  EXPECT_FALSE(exchange.reader.ended);
}

TEST_F(Fault, NoEndStopsWithoutSayingSo) {
  auto& exchange = chat("sim-0ms-3tok-0gap-noend");
  clock.run_for(0s);
  EXPECT_TRUE(exchange.reader.ended);
  EXPECT_EQ(tokens_in(exchange.reader.text).size(), 3u);
  EXPECT_FALSE(has(exchange.reader.text, "[DONE]"));
  EXPECT_FALSE(has(exchange.reader.text, R"("finish_reason":"stop")"));
}

TEST_F(Fault, AnErrorComesInTheStream) {
  auto& exchange = chat("sim-0ms-30tok-0gap-error4");
  clock.run_for(0s);
  EXPECT_EQ(tokens_in(exchange.reader.text).size(), 4u);
  EXPECT_TRUE(has(exchange.reader.text, R"(data: {"error":{"message":)"));
  EXPECT_FALSE(has(exchange.reader.text, "[DONE]"));
  EXPECT_TRUE(exchange.reader.ended);
}

TEST_F(Fault, SlowFirstSaysNothingForMinutes) {
  auto& exchange = chat("sim-0ms-3tok-0gap-slowfirst");
  clock.run_for(5min);
  EXPECT_EQ(exchange.reader.text, "");
  clock.run_for(5min);
  EXPECT_TRUE(exchange.reader.ended);
}

TEST_F(Fault, AnAnswerThatIsNotStreamedFailsToo) {
  auto& cut = chat("sim-0ms-3tok-0gap-cut1", "");
  auto& garbage = chat("sim-0ms-3tok-0gap-garbage", "");
  auto& error = chat("sim-0ms-3tok-0gap-error1", "");
  auto& stalled = chat("sim-0ms-3tok-0gap-stall", "");
  clock.run_for(1h);
  EXPECT_TRUE(cut.reader.cut);
  EXPECT_FALSE(garbage.reader.text.starts_with('{'));
  EXPECT_EQ(error.response.status, 500);
  EXPECT_TRUE(has(error.reader.text, R"("code":"simulated_error")"));
  EXPECT_EQ(stalled.reader.text, "");
  stalled.reader.leave();
  clock.run_for(0s);
  EXPECT_TRUE(counts(R"("in_flight":0)"));
}

TEST_F(Refusal, TheFirstRequestsOfAPromptAreRefused) {
  const std::string model = "sim-0ms-3tok-0gap-429x2";
  for (int i = 0; i < 2; ++i) {
    const auto& response = chat(model).response;
    EXPECT_EQ(response.status, 429);
    ASSERT_EQ(response.headers.size(), 1u);
    EXPECT_EQ(response.headers[0], (std::pair<std::string, std::string>("Retry-After", "1")));
    EXPECT_TRUE(has(response.body, R"("code":"rate_limit_exceeded")"));
  }
  EXPECT_EQ(chat(model).response.status, 200);
  EXPECT_EQ(chat(model, R"(,"stream":true)", "", "", "another prompt").response.status, 429);
  EXPECT_TRUE(counts(R"("faults":{"429":3})"));
  EXPECT_TRUE(counts(R"("requests":4)"));
}

TEST_F(Refusal, ThoseOfAJobAreCountedByJob) {
  const std::string model = "sim-0ms-3tok-0gap-503x1";
  EXPECT_EQ(chat(model, "", "job-1").response.status, 503);
  EXPECT_EQ(chat(model, "", "job-2").response.status, 503);
  EXPECT_EQ(chat(model, "", "job-1").response.status, 200);
  send(http::Method::post, "/sim/reset", "");
  EXPECT_EQ(chat(model, "", "job-1").response.status, 503);
}

TEST_F(Refusal, SomeModelsRefuseEveryRequest) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(chat("sim-400").response.status, 400);
    EXPECT_EQ(chat("sim-0ms-401").response.status, 401);
  }
  EXPECT_EQ(chat("sim-0ms-500x1").response.status, 500);
}

struct BadRequest {
  const char* body;
  const char* param;
};

TEST_F(Refusal, ABadRequestIsToldWhichParameterIsWrong) {
  const std::vector<BadRequest> bad{
      {"not json", "null"},
      {"[]", "null"},
      {R"({"messages":[{"role":"user","content":"x"}]})", R"("model")"},
      {R"({"model":7,"messages":[{"role":"user","content":"x"}]})", R"("model")"},
      {R"({"model":"m"})", R"("messages")"},
      {R"({"model":"m","messages":[]})", R"("messages")"},
      {R"({"model":"m","messages":"x"})", R"("messages")"},
      {R"({"model":"m","messages":[{"role":"user","content":"x"},7]})", R"("messages[1]")"},
      {R"({"model":"m","messages":[{"content":"x"}]})", R"("messages[0].role")"},
      {R"({"model":"m","messages":[{"role":"boss","content":"x"}]})", R"("messages[0].role")"},
      {R"({"model":"m","messages":[{"role":"user","content":7}]})", R"("messages[0].content")"},
      {R"({"model":"m","messages":[{"role":"user","content":"x"}],"stream":1})", R"("stream")"},
      {R"({"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":0})",
       R"("max_tokens")"},
      {R"({"model":"m","messages":[{"role":"user","content":"x"}],"max_completion_tokens":"9"})",
       R"("max_completion_tokens")"},
      {R"({"model":"m","messages":[{"role":"user","content":"x"}],"stream_options":{}})",
       R"("stream_options")"},
      {R"({"model":"m","messages":[{"role":"user","content":"x"}],"temperature":3})",
       R"("temperature")"},
      {R"({"model":"m","messages":[{"role":"user","content":"x"}],"n":2})", R"("n")"},
  };
  for (const auto& [body, param] : bad) {
    const auto& response = send(http::Method::post, "/v1/chat/completions", body).response;
    EXPECT_EQ(response.status, 400) << body;
    EXPECT_TRUE(response.body.starts_with(R"({"error":{"message":")")) << response.body;
    EXPECT_TRUE(has(response.body, R"("type":"invalid_request_error","param":)" +
                                       std::string(param) + R"(,"code":null}})"))
        << response.body;
  }
}

TEST_F(Refusal, WhatItDoesNotKnowIsLeftAlone) {
  const auto& response =
      send(http::Method::post, "/v1/chat/completions",
           R"({"model":"sim-0ms-1tok-0gap","messages":[{"role":"developer","content":null},)"
           R"({"role":"user","content":[{"type":"text","text":"x"},{"type":"image_url"}]}],)"
           R"("continue_final_message":true,"temperature":null,"stop":["x"],)"
           R"("unknown":6553291276134863275383813862064128})")
          .response;
  EXPECT_EQ(response.status, 200);
}

}  // namespace
}  // namespace millrace
