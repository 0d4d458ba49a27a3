#include <gtest/gtest.h>

#include "producer/conversations/chat_request.h"
#include "producer/conversations/detail_shape.h"
#include "producer/conversations/session_request.h"
#include "producer/conversations/session_view.h"

namespace millrace::conversations {
namespace {

http::Request with(std::string body, std::string query = "") {
  http::Request request;
  request.method = http::Method::post;
  request.body = std::move(body);
  request.query = std::move(query);
  return request;
}

std::string fault_of(const std::string& body) {
  const auto asked = parse_chat(body);
  return asked ? "" : detail_response(asked.error()).body;
}

TEST(SessionRequest, MetadataIsAnObjectOrLeftOut) {
  EXPECT_EQ(session_metadata(with("")).value(), "");
  EXPECT_EQ(session_metadata(with("{}")).value(), "");
  EXPECT_EQ(session_metadata(with(R"({"metadata":null})")).value(), "");
  EXPECT_EQ(session_metadata(with(R"( {"metadata": {"a": 12345678901234567890} } )")).value(),
            R"({"a": 12345678901234567890})");
  for (const char* wrong :
       {"[]", "{", R"({"metadata":[]})", R"({"metadata":{},"metadata":{}})", R"({"metdata":{}})"})
    EXPECT_FALSE(session_metadata(with(wrong))) << wrong;
  EXPECT_FALSE(session_metadata(with(R"({"metadata":{"a":")" + std::string(20'000, 'x') + "\"}}")));
}

TEST(SessionRequest, AUserIsKeptAsMetadata) {
  EXPECT_EQ(user_metadata(with(R"({"user_id":"나"})")).value(), R"({"user_id":"나"})");
  EXPECT_EQ(user_metadata(with("")).value(), "");
  EXPECT_FALSE(user_metadata(with(R"({"user_id":7})")));
}

TEST(SessionRequest, TheLimitOfMessagesIsFrom1To1000) {
  EXPECT_EQ(message_limit(with("")).value(), 10u);
  EXPECT_EQ(message_limit(with("", "limit=1000")).value(), 1000u);
  for (const char* wrong : {"limit=0", "limit=1001", "limit=x", "limit=", "limit=1&limit=2", "a=1"})
    EXPECT_FALSE(message_limit(with("", wrong))) << wrong;
}

TEST(ChatRequest, IsReadWithItsDefaults) {
  const auto asked = parse_chat(R"({"session_id":"s","message":"왜?"})");
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->session, "s");
  EXPECT_EQ(asked->message, "왜?");
  EXPECT_FALSE(asked->max_new_tokens || asked->temperature);
  const auto full = parse_chat(
      R"({"session_id":"s","message":"m","max_new_tokens":256,"temperature":0.7,"do_sample":true})");
  EXPECT_EQ(full->max_new_tokens, 256u);
  EXPECT_EQ(full->temperature, 0.7);
  EXPECT_EQ(parse_chat(R"({"session_id":"s","message":"m","temperature":1,"do_sample":false})")
                ->temperature,
            0.0);
}

TEST(SessionRequest, ABodyOfAnotherFormIs415AndOneThatCannotBeReadSaysWhy) {
  const auto refused = [](std::string body, http::Headers headers) {
    auto request = with(std::move(body));
    request.headers = std::move(headers);
    const auto read = session_metadata(request);
    return read ? std::string() : detail_response(read.error()).body;
  };
  for (const char* type : {"text/plain;charset=UTF-8", "application/x-www-form-urlencoded",
                           "multipart/form-data; boundary=x", "application/x-ndjson",
                           "application/json; charset=latin1"}) {
    const auto words = refused("{}", {{"content-type", type}});
    EXPECT_TRUE(words.starts_with(R"({"detail":"Content-Type is )")) << words;
    EXPECT_NE(words.find("-H 'Content-Type: application/json'"), words.npos) << words;
  }
  EXPECT_EQ(refused("{}", {{"content-type", "application/merge-patch+json"}}), "");
  EXPECT_EQ(refused("{}", {}), "");
  EXPECT_EQ(refused("", {{"content-type", "text/plain"}}), "") << "there is nothing to read";
  EXPECT_NE(refused("{}", {{"content-encoding", "gzip"}}).find("uncompressed"), std::string::npos);
  EXPECT_NE(refused("{\"metadata\":{\"a\":\"\xff\"}}", {}).find("UTF-8"), std::string::npos);
  EXPECT_NE(refused("{\"metadata\":" + std::string(100, '[') + std::string(100, ']') + "}", {})
                .find("64 levels"),
            std::string::npos);
  EXPECT_NE(refused(std::string("{\"metadata\":\"a\0\"}", 17), {}), "");
}

TEST(ChatRequest, ABodyThatCannotBeReadSaysWhy) {
  const std::string start = R"({"session_id":"s","message":)";
  EXPECT_NE(fault_of(start + "\"\xff\"}").find("UTF-8"), std::string::npos);
  EXPECT_NE(fault_of(start + std::string(100, '[') + std::string(100, ']') + "}").find("64 levels"),
            std::string::npos);
  EXPECT_NE(fault_of(start + std::string("\"a\0\"}", 6)), "");
  EXPECT_EQ(fault_of("\xEF\xBB\xBF" + start + "\"m\"}"), "") << "a byte order mark";
}

TEST(ChatRequest, AFaultOfItsJobIsToldInItsOwnWords) {
  const auto told = [](const ChatAsked& asked, const char* field) {
    return in_words_of(asked, refuse("invalid_field", field, "x")).problem.field;
  };
  const auto message = parse_chat(R"({"session_id":"s","message":"m","on_busy":"never"})");
  const auto question = parse_question(R"({"question":"q"})", "");
  EXPECT_EQ(told(*message, "/input"), "message");
  EXPECT_EQ(told(*question, "/input"), "question");
  EXPECT_EQ(told(*message, "/session"), "session_id");
  EXPECT_EQ(told(*message, "/max_tokens"), "max_new_tokens");
  EXPECT_EQ(told(*message, "Idempotency-Key"), "Idempotency-Key");
  const auto job = chat_job(*message, {}, {});
  ASSERT_FALSE(job);
  EXPECT_EQ(job.error().problem.field, "on_busy");
}

TEST(ChatRequest, AFaultNamesItsField) {
  const std::pair<const char*, const char*> faults[] = {
      {R"({"message":"m"})", "session_id"},
      {R"({"session_id":"s"})", "message"},
      {R"({"session_id":"s","message":" "})", "message"},
      {R"({"session_id":7,"message":"m"})", "session_id"},
      {R"({"session_id":"s","message":"m","max_new_tokens":0})", "max_new_tokens"},
      {R"({"session_id":"s","message":"m","temperature":3})", "temperature"},
      {R"({"session_id":"s","message":"m","do_sample":"yes"})", "do_sample"},
      {R"({"session_id":"s","message":"m","mesage":"m"})", "mesage"},
      {R"({"session_id":"s","message":"m","message":"m"})", "message"}};
  for (const auto& [body, field] : faults) {
    const auto words = fault_of(body);
    EXPECT_NE(words.find(field), std::string::npos) << body << words;
    EXPECT_TRUE(words.starts_with(R"({"detail":")")) << words;
  }
}

TEST(ChatRequest, TheJobIsTheMessageAndHowMuchGoesWithIt) {
  const ChatAsked request{.session = "s",
                          .message = "d \"e\"",
                          .max_new_tokens = 5,
                          .temperature = 0.5,
                          .on_busy = {},
                          .features = {}};
  const auto job = chat_job(request, {10, true}, WallTime(std::chrono::hours(24)));
  ASSERT_TRUE(job);
  EXPECT_EQ(job->session, "s");
  EXPECT_EQ(job->max_tokens, 5u);
  EXPECT_EQ(job->temperature, 0.5);
  EXPECT_EQ(job->input, R"("d \"e\"")");
  EXPECT_EQ(job->context, (SessionContext{10, true}));
}

TEST(ChatRequest, WhatBecomesOfABusySessionIsAsOnTheNativeRoutes) {
  const auto job_of = [](const char* on_busy) {
    const auto asked =
        parse_chat(R"({"session_id":"s","message":"m","on_busy":)" + std::string(on_busy) + "}");
    return chat_job(asked.value(), {10}, WallTime(std::chrono::hours(24)));
  };
  EXPECT_EQ(job_of("null")->on_busy, "enqueue");
  EXPECT_EQ(job_of("\"interrupt\"")->on_busy, "interrupt");
  EXPECT_NE(detail_response(job_of("\"steer\"").error()).body.find("agents"), std::string::npos);
  EXPECT_NE(detail_response(job_of("\"x\"").error()).body.find("on_busy"), std::string::npos);
  EXPECT_NE(fault_of(R"({"session_id":"s","message":"m","on_busy":7})").find("on_busy"),
            std::string::npos);
}

TEST(QuestionRequest, IsToldFromAMessage) {
  EXPECT_TRUE(asks_question(R"({"question":"왜?"})"));
  EXPECT_FALSE(asks_question(R"({"message":"왜?","question":"왜?"})"));
  EXPECT_FALSE(asks_question("[]"));
  EXPECT_FALSE(asks_question("{"));
}

TEST(QuestionRequest, TheModelIsToldTheFeaturesBehindTheQuestion) {
  const auto asked = parse_question(
      R"({"question":"왜?","features":{"온도": 670.0, "b":1},"session_id":"s"})", "");
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->message, "왜?");
  const auto job = chat_job(*asked, {10}, WallTime(std::chrono::hours(24)));
  EXPECT_EQ(job->input, R"("왜?\n\n공정 파라미터: {\"온도\": 670.0, \"b\":1}")");
  EXPECT_EQ(parse_question(R"({"question":"왜?","features":null})", "")->session, "");
}

TEST(QuestionRequest, KnownFeaturesAreNumbersByTheirNames) {
  const auto fault = [](const char* features) {
    const auto asked =
        parse_question(R"({"question":"?","features":)" + std::string(features) + "}", "온도,b");
    return asked ? "" : detail_response(asked.error()).body;
  };
  EXPECT_EQ(fault(R"({"온도":1,"b":-2.5})"), "");
  EXPECT_TRUE(fault(R"({"온도":"1"})").contains("features.온도: It must be a number"));
  EXPECT_TRUE(fault(R"({"온":1})").contains("known: 온도,b"));
  EXPECT_TRUE(fault(R"([1])").contains("features"));
}

TEST(SessionView, ShowsEveryField) {
  EXPECT_EQ(session_json({.id = "s",
                          .created_at = WallTime(),
                          .last_accessed = WallTime(),
                          .metadata = R"({"a":1})"}),
            R"({"session_id":"s","created_at":"1970-01-01T00:00:00.000Z",)"
            R"("last_accessed":"1970-01-01T00:00:00.000Z","metadata":{"a":1}})");
  const auto shown = messages_json("s", {{.id = "m", .role = "user", .content = "x"}});
  EXPECT_NE(shown.find(R"("status":"complete","token_usage":null)"), std::string::npos) << shown;
  EXPECT_EQ(no_such_session("x").body, R"({"detail":"Session x not found"})");
}

}  // namespace
}  // namespace millrace::conversations
