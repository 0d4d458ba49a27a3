#include "producer/openai/chat_request.h"

#include <gtest/gtest.h>

namespace millrace::openai {
namespace {

constexpr WallTime now{std::chrono::milliseconds(1'790'000'000'123)};
constexpr std::string_view hi = R"([{"role":"user","content":"hi"}])";

/// A request with these members beside the two that each needs.
std::string with(std::string_view members) {
  std::string body = R"({"model":"m","messages":)" + std::string(hi);
  if (!members.empty()) body.append(",").append(members);
  return body + "}";
}

std::string with_messages(std::string_view messages) {
  return R"({"model":"m","messages":)" + std::string(messages) + "}";
}

ChatRequest read(const std::string& body) {
  auto request = parse_chat_request(body, now);
  EXPECT_TRUE(request) << body << ": " << request.error().detail;
  return request ? std::move(*request) : ChatRequest{};
}

/// `param code` of what is wrong.
std::string fault(const std::string& body) {
  const auto request = parse_chat_request(body, now);
  if (request) return "none";
  EXPECT_FALSE(request.error().detail.empty());
  EXPECT_EQ(request.error().status, request.error().code == "too_large" ? 413 : 400);
  return request.error().field + " " + request.error().code;
}

TEST(ChatRequest, BecomesAJobWithItsMessagesAsTheyWereWritten) {
  const std::string messages = R"([{"role":"user","content":"한글 \"x\"","name":"a b"}])";
  const auto request = read(R"({"messages":)" + messages + R"(,"model":"sim/x"})");
  EXPECT_EQ(request.job.input, messages);
  EXPECT_EQ(request.job.model, "sim/x");
  EXPECT_EQ(request.job.kind, "chat");
  EXPECT_EQ(request.job.params, "");
  EXPECT_TRUE(request.job.server_defaults);
  EXPECT_EQ(request.job.created_at, now);
  EXPECT_EQ(request.job.deadline, now + 24h);
  EXPECT_FALSE(request.stream);
}

TEST(ChatRequest, WhatTheModelsServerTakesGoesOnAsItWasWritten) {
  const auto request = read(with(R"("top_p":0.10,"stop":["a","b"],"seed":-7,"user":"u",)"
                                 R"("response_format":{"type":"json_object"},)"
                                 R"("logit_bias":{"50256":-100},"presence_penalty":-2,)"
                                 R"("frequency_penalty":1e0,"reasoning_effort":"low","top_k":40)"));
  EXPECT_EQ(
      request.job.params,
      R"({"top_p":0.10,"stop":["a","b"],"seed":-7,"user":"u",)"
      R"("response_format":{"type":"json_object"},"logit_bias":{"50256":-100},)"
      R"("presence_penalty":-2,"frequency_penalty":1e0,"reasoning_effort":"low","top_k":40})");
}

TEST(ChatRequest, LimitAndTemperatureAreKnownToTheJob) {
  const auto older = read(with(R"("max_tokens":5,"temperature":0)")).job;
  EXPECT_EQ(older.max_tokens, 5u);
  EXPECT_FALSE(older.max_completion_tokens);
  EXPECT_EQ(older.temperature, 0.0);
  EXPECT_EQ(older.params, "");
  const auto newer = read(with(R"("max_completion_tokens":6)")).job;
  EXPECT_EQ(newer.max_tokens, 6u);
  EXPECT_TRUE(newer.max_completion_tokens);
  EXPECT_EQ(fault(with(R"("max_tokens":5,"max_completion_tokens":6)")),
            "max_completion_tokens invalid_field");
}

TEST(ChatRequest, StreamAndItsOptions) {
  const auto request = read(with(R"("stream":true,"stream_options":{"include_usage":true})"));
  EXPECT_TRUE(request.stream);
  EXPECT_TRUE(request.include_usage);
  EXPECT_TRUE(read(with(R"("stream":true,"stream_options":{"include_obfuscation":false})")).stream);
  EXPECT_EQ(fault(with(R"("stream_options":{"include_usage":true})")),
            "stream_options invalid_field");
  EXPECT_EQ(fault(with(R"("stream":true,"stream_options":{"x":true})")),
            "stream_options.x unknown_field");
  EXPECT_EQ(fault(with(R"("stream":"yes")")), "stream invalid_field");
}

TEST(ChatRequest, ToolsGoOnAndComeBack) {
  const std::string tools = R"("tools":[{"type":"function","function":{"name":"f","strict":true,)"
                            R"("parameters":{"type":"object","properties":{}}}}])";
  const std::string choice =
      R"("tool_choice":{"type":"function","function":{"name":"f"}},"parallel_tool_calls":false)";
  EXPECT_EQ(read(with(tools + "," + choice)).job.params, "{" + tools + "," + choice + "}");
  EXPECT_EQ(read(with(R"("tools":[])")).job.params, "");
  EXPECT_EQ(fault(with(choice)), "tool_choice invalid_field");
  EXPECT_EQ(fault(with(R"("tools":[{"type":"custom","custom":{"name":"f"}}])")),
            "tools[0].type not_supported");
  EXPECT_EQ(fault(with(R"("tools":[{"type":"function","function":{"name":"a b"}}])")),
            "tools[0].function.name invalid_field");
  EXPECT_EQ(fault(with(R"("tools":[{"type":"function"}])")), "tools[0].function invalid_field");
  EXPECT_EQ(fault(with(R"("tools":{})")), "tools invalid_field");
  EXPECT_EQ(fault(with(tools + R"(,"tool_choice":"perhaps")")), "tool_choice invalid_field");
}

TEST(ChatRequest, TheWholeConversationWithToolsIsTaken) {
  const std::string messages =
      R"([{"role":"developer","content":"be brief"},{"role":"system","content":""},)"
      R"({"role":"user","content":[{"type":"text","text":"what is this?"},)"
      R"({"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]},)"
      R"({"role":"assistant","content":null,"refusal":null,"annotations":[],"audio":null,)"
      R"("function_call":null,"tool_calls":[{"id":"c1","type":"function",)"
      R"("function":{"name":"f","arguments":"{}"}}]},)"
      R"({"role":"tool","tool_call_id":"c1","content":[{"type":"text","text":"7"}]},)"
      R"({"role":"assistant","content":"it is 7"},{"role":"user","content":"sure?"}])";
  EXPECT_EQ(read(with_messages(messages)).job.input, messages);
}

TEST(ChatRequest, AFaultInAMessageIsNamed) {
  const auto faulty = [](std::string_view message) {
    return fault(with_messages("[" + std::string(message) + "]"));
  };
  EXPECT_EQ(fault(with_messages("[]")), "messages invalid_field");
  EXPECT_EQ(fault(with_messages("\"hi\"")), "messages invalid_field");
  EXPECT_EQ(faulty("7"), "messages[0] invalid_field");
  EXPECT_EQ(faulty(R"({"content":"x"})"), "messages[0].role missing_field");
  EXPECT_EQ(faulty(R"({"role":"function","content":"x"})"), "messages[0].role invalid_field");
  EXPECT_EQ(faulty(R"({"role":"user"})"), "messages[0].content missing_field");
  EXPECT_EQ(faulty(R"({"role":"user","content":7})"), "messages[0].content invalid_field");
  EXPECT_EQ(faulty(R"({"role":"user","content":[]})"), "messages[0].content invalid_field");
  EXPECT_EQ(faulty(R"({"role":"user","content":[{"text":"x"}]})"),
            "messages[0].content[0].type missing_field");
  EXPECT_EQ(faulty(R"({"role":"user","content":[{"type":"video"}]})"),
            "messages[0].content[0].type invalid_field");
  EXPECT_EQ(faulty(R"({"role":"user","content":[{"type":"text"}]})"),
            "messages[0].content[0].text invalid_field");
  EXPECT_EQ(faulty(R"({"role":"system","content":[{"type":"image_url","image_url":{}}]})"),
            "messages[0].content[0].type invalid_field");
  EXPECT_EQ(faulty(R"({"role":"assistant"})"), "messages[0].content missing_field");
  EXPECT_EQ(faulty(R"({"role":"assistant","tool_calls":[]})"),
            "messages[0].tool_calls invalid_field");
  EXPECT_EQ(faulty(R"({"role":"assistant","tool_calls":[{"function":{}}]})"),
            "messages[0].tool_calls[0].id missing_field");
  EXPECT_EQ(faulty(R"({"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f"}}]})"),
            "messages[0].tool_calls[0].function.arguments invalid_field");
  EXPECT_EQ(faulty(R"({"role":"assistant","content":"x","audio":{"id":"a"}})"),
            "messages[0].audio not_supported");
  EXPECT_EQ(faulty(R"({"role":"tool","content":"x"})"), "messages[0].tool_call_id missing_field");
}

TEST(ChatRequest, WhatCannotBeServedIsNamedAndNeverIgnored) {
  EXPECT_EQ(fault(with(R"("n":2)")), "n not_supported");
  EXPECT_EQ(fault(with(R"("logprobs":true)")), "logprobs not_supported");
  EXPECT_EQ(fault(with(R"("top_logprobs":3)")), "top_logprobs not_supported");
  EXPECT_EQ(fault(with(R"("modalities":["text","audio"])")), "modalities not_supported");
  EXPECT_EQ(fault(with(R"("audio":{"voice":"x"})")), "audio not_supported");
  EXPECT_EQ(fault(with(R"("prediction":{"type":"content"})")), "prediction not_supported");
  EXPECT_EQ(fault(with(R"("web_search_options":{})")), "web_search_options not_supported");
  EXPECT_EQ(fault(with(R"("functions":[])")), "functions not_supported");
  EXPECT_EQ(fault(with(R"("function_call":"auto")")), "function_call not_supported");
  EXPECT_EQ(fault(with(R"("flavour":"sweet")")), "flavour unknown_field");
}

TEST(ChatRequest, WhatSaysTheDefaultOrChangesNoAnswerIsTaken) {
  const auto request = read(with(R"("n":1,"logprobs":false,"top_logprobs":0,"store":true,)"
                                 R"("modalities":["text"],"audio":null,"stop":[],"seed":null,)"
                                 R"("functions":null,"max_tokens":null)"));
  EXPECT_EQ(request.job.params, "");
}

TEST(ChatRequest, ValuesOutOfRangeAreNamed) {
  EXPECT_EQ(fault(with(R"("temperature":2.1)")), "temperature invalid_field");
  EXPECT_EQ(fault(with(R"("top_p":1.5)")), "top_p invalid_field");
  EXPECT_EQ(fault(with(R"("presence_penalty":3)")), "presence_penalty invalid_field");
  EXPECT_EQ(fault(with(R"("max_tokens":0)")), "max_tokens invalid_field");
  EXPECT_EQ(fault(with(R"("seed":1.5)")), "seed invalid_field");
  EXPECT_EQ(fault(with(R"("stop":["1","2","3","4","5"])")), "stop invalid_field");
  EXPECT_EQ(fault(with(R"("stop":7)")), "stop invalid_field");
  EXPECT_EQ(fault(with(R"("user":7)")), "user invalid_field");
  EXPECT_EQ(fault(with(R"("response_format":{"type":"xml"})")),
            "response_format.type invalid_field");
  EXPECT_EQ(fault(with(R"("response_format":{"type":"json_schema"})")),
            "response_format.json_schema invalid_field");
}

TEST(ChatRequest, WhatIsMissingOrGivenTwiceIsNamed) {
  EXPECT_EQ(fault(R"({"model":"m"})"), "messages missing_field");
  EXPECT_EQ(fault(R"({"messages":[{"role":"user","content":"hi"}]})"), "model missing_field");
  EXPECT_EQ(fault(R"({"model":null,"messages":[{"role":"user","content":"hi"}]})"),
            "model missing_field");
  EXPECT_EQ(fault(R"({"model":"","messages":[]})"), "model invalid_field");
  EXPECT_EQ(fault(with(R"("seed":1,"seed":2)")), "seed duplicate_field");
  EXPECT_EQ(fault(with_messages(R"([{"role":"user","content":"a","content":"b"}])")),
            "messages[0].content duplicate_field");
  EXPECT_EQ(fault(with(R"("tools":[{"type":"function","type":"function",)"
                       R"("function":{"name":"f"}}])")),
            "tools[0].type duplicate_field");
  EXPECT_EQ(fault("[]"), "body invalid_json");
  EXPECT_EQ(fault("{"), "body invalid_json");
}

TEST(ChatRequest, MetadataIsTheJobsAndSaysWhatLeavingMeans) {
  const auto request = read(with(R"("metadata":{"a":"b","millrace_on_disconnect":"continue"})"));
  EXPECT_EQ(request.job.metadata, R"({"a":"b","millrace_on_disconnect":"continue"})");
  EXPECT_EQ(request.on_leave, OnLeave::go_on);
  EXPECT_EQ(read(with("")).on_leave, OnLeave::unsaid);
  EXPECT_EQ(read(with(R"("metadata":{"millrace_on_disconnect":"cancel"})")).on_leave,
            OnLeave::cancel);
  EXPECT_EQ(fault(with(R"("metadata":{"millrace_on_disconnect":"stay"})")),
            "metadata.millrace_on_disconnect invalid_field");
  EXPECT_EQ(fault(with(R"("metadata":{"a":1})")), "metadata.a invalid_field");
  EXPECT_EQ(fault(with(R"("metadata":[])")), "metadata invalid_field");
  std::string pairs = R"("k0":"")";
  for (int i = 1; i < 16; ++i) pairs += ",\"k" + std::to_string(i) + R"(":"")";
  EXPECT_EQ(fault(with("\"metadata\":{" + pairs + "}")), "none");
  EXPECT_EQ(fault(with("\"metadata\":{" + pairs + R"(,"k16":""})")), "metadata invalid_field");
  const auto long_name = [](std::size_t bytes) { return std::string(bytes, 'k'); };
  EXPECT_EQ(fault(with(R"("metadata":{")" + long_name(64) + R"(":""})")), "none");
  EXPECT_EQ(fault(with(R"("metadata":{")" + long_name(65) + R"(":""})")), "metadata invalid_field");
  std::string words;
  for (int i = 0; i < 512; ++i) words += "가";
  EXPECT_EQ(fault(with(R"("metadata":{"a":")" + words + "\"}")), "none");
  EXPECT_EQ(fault(with(R"("metadata":{"a":")" + words + "나\"}")), "metadata.a invalid_field");
  EXPECT_EQ(fault(with(R"("reasoning_effort":"huge")")), "reasoning_effort invalid_field");
  EXPECT_EQ(fault(with(R"("verbosity":"loud")")), "verbosity invalid_field");
  EXPECT_EQ(fault(with(R"("service_tier":"golden")")), "service_tier invalid_field");
  EXPECT_EQ(fault(with(R"("metadata":{"a":"1","a":"2"})")), "metadata.a duplicate_field");
}

TEST(ChatRequest, ParamsFitTheEnvelope) {
  const std::string schema(256 * 1024, 'x');
  EXPECT_EQ(fault(with(R"("tools":[{"type":"function","function":{"name":"f","description":")" +
                       schema + "\"}}]")),
            "tools too_large");
}

}  // namespace
}  // namespace millrace::openai
