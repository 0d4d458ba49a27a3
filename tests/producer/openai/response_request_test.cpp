#include "producer/openai/response_request.h"

#include <gtest/gtest.h>

#include "producer/openai/response_object.h"
#include "producer/openai/stored_items.h"

namespace millrace::openai {
namespace {

constexpr WallTime now{std::chrono::milliseconds(1'790'000'000'123)};

std::string with(std::string_view members) {
  std::string body = R"({"model":"m","input":"hi")";
  if (!members.empty()) body.append(",").append(members);
  return body + "}";
}

std::string with_input(std::string_view input) {
  return R"({"model":"m","input":)" + std::string(input) + "}";
}

ResponseRequest read(const std::string& body, std::string_view context = "") {
  auto request = parse_response_request(body, now);
  EXPECT_TRUE(request) << body << ": " << request.error().detail;
  if (!request) return {};
  give_input(*request, context);
  return std::move(*request);
}

/// `param code` of what is wrong.
std::string fault(const std::string& body) {
  const auto request = parse_response_request(body, now);
  if (request) return "none";
  EXPECT_FALSE(request.error().detail.empty());
  EXPECT_EQ(request.error().status, request.error().code == "too_large" ? 413 : 400);
  return request.error().field + " " + request.error().code;
}

TEST(ResponseRequest, ATextIsAMessageOfTheUser) {
  const auto request = read(R"({"model":"sim/x","input":"한글 \"x\""})");
  EXPECT_EQ(request.job.input, R"([{"role":"user","content":"한글 \"x\""}])");
  EXPECT_EQ(request.job.model, "sim/x");
  EXPECT_EQ(request.job.params, "");
  EXPECT_TRUE(request.job.server_defaults);
  EXPECT_TRUE(request.store);
  EXPECT_FALSE(request.background || request.stream);
}

TEST(ResponseRequest, InstructionsStandInFrontAndTheContextBetween) {
  const auto request =
      read(with(R"("instructions":"be brief")"), R"({"role":"user","content":"before"})");
  EXPECT_EQ(request.job.input,
            R"([{"role":"system","content":"be brief"},{"role":"user","content":"before"},)"
            R"({"role":"user","content":"hi"}])");
  EXPECT_EQ(instruction_messages(request.job), 1u);
  EXPECT_EQ(instruction_messages(read(with("")).job), 0u);
}

TEST(ResponseRequest, ItemsBecomeTheMessagesThatSayTheSame) {
  const auto request = read(with_input(
      R"([{"role":"developer","content":"short"},)"
      R"({"type":"message","role":"user","content":[{"type":"input_text","text":"what?"},)"
      R"({"type":"input_image","image_url":"data:x","detail":"low"},)"
      R"({"type":"input_file","filename":"a.txt","file_data":"data:y"}]},)"
      R"({"type":"reasoning","id":"rs_1","summary":[]},)"
      R"({"type":"message","role":"assistant","content":[{"type":"output_text","text":"hm","annotations":[]}]},)"
      R"({"type":"function_call","id":"fc_1","call_id":"c1","name":"f","arguments":"{\"a\":1}"},)"
      R"({"type":"function_call","call_id":"c2","name":"g","arguments":""},)"
      R"({"type":"function_call_output","call_id":"c1","output":"one"},)"
      R"({"type":"function_call_output","call_id":"c2","output":[{"type":"input_text","text":"two"}]}])"));
  EXPECT_EQ(
      request.job.input,
      R"([{"role":"developer","content":"short"},)"
      R"({"role":"user","content":[{"type":"text","text":"what?"},)"
      R"({"type":"image_url","image_url":{"url":"data:x","detail":"low"}},)"
      R"({"type":"file","file":{"filename":"a.txt","file_data":"data:y"}}]},)"
      R"({"role":"assistant","content":[{"type":"text","text":"hm"}],)"
      R"("tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},)"
      R"({"id":"c2","type":"function","function":{"name":"g","arguments":""}}]},)"
      R"({"role":"tool","tool_call_id":"c1","content":"one"},)"
      R"({"role":"tool","tool_call_id":"c2","content":[{"type":"text","text":"two"}]}])");
}

TEST(ResponseRequest, CallsWithoutWordsAreAnAnswerOfTheirOwn) {
  const auto request =
      read(with_input(R"([{"type":"function_call","call_id":"c1","name":"f","arguments":"{}"}])"));
  EXPECT_EQ(request.job.input,
            R"([{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function",)"
            R"("function":{"name":"f","arguments":"{}"}}]}])");
}

TEST(ResponseRequest, WhatTheModelsServerTakesGoesOnByItsNamesThere) {
  const auto request = read(with(
      R"("top_p":0.10,"max_output_tokens":7,"temperature":0.5,"user":"u",)"
      R"("reasoning":{"effort":"low","summary":"auto"},)"
      R"("text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object","x":1.50},)"
      R"("strict":true},"verbosity":"low"},)"
      R"("tools":[{"type":"function","name":"f","parameters":{"a":1.50},"strict":false}],)"
      R"("tool_choice":{"type":"function","name":"f"},"parallel_tool_calls":false)"));
  EXPECT_EQ(request.job.params,
            R"({"top_p":0.10,"user":"u","reasoning_effort":"low",)"
            R"("response_format":{"type":"json_schema","json_schema":{"name":"n",)"
            R"("schema":{"type":"object","x":1.50},"strict":true}},"verbosity":"low",)"
            R"("tools":[{"type":"function","function":{"name":"f","parameters":{"a":1.50},)"
            R"("strict":false}}],"tool_choice":{"type":"function","function":{"name":"f"}},)"
            R"("parallel_tool_calls":false})");
  EXPECT_EQ(request.job.max_tokens, 7u);
  EXPECT_EQ(request.job.temperature, 0.5);
}

TEST(ResponseRequest, WhatIsSaidOfToolsMeansNothingWithoutThem) {
  EXPECT_EQ(read(with(R"("tools":[],"tool_choice":"auto","parallel_tool_calls":true)")).job.params,
            "");
  EXPECT_EQ(fault(with(R"("tool_choice":"required")")), "tool_choice invalid_field");
}

TEST(ResponseRequest, TheResponseShowsWhatWasAsked) {
  const auto request = read(with(
      R"("instructions":"짧게","metadata":{"a":"b"},"background":true,"previous_response_id":"resp_x",)"
      R"("text":{"format":{"type":"json_object"}},"tools":[{"type":"function","name":"f"}],"user":"u")"));
  EXPECT_EQ(request.job.request,
            R"({"background":true,"instructions":"짧게","max_output_tokens":null,)"
            R"("metadata":{"a":"b"},"parallel_tool_calls":true,"previous_response_id":"resp_x",)"
            R"("reasoning":{"effort":null,"summary":null},"service_tier":"default","store":true,)"
            R"("temperature":null,"text":{"format":{"type":"json_object"}},"tool_choice":"auto",)"
            R"("tools":[{"type":"function","name":"f"}],"top_p":null,"truncation":"disabled",)"
            R"("user":"u"})");
  const auto head = response_head(request.job);
  ASSERT_TRUE(head);
  EXPECT_TRUE(head->background && head->stored);
  EXPECT_FALSE(response_head(Job()));
}

TEST(ResponseRequest, ANumberOfAnySizeInASchemaIsShownAsItWasWritten) {
  const std::string tools = R"([{"type":"function","name":"f","parameters":{"maximum":1e400}}])";
  const auto request = read(with(R"("instructions":"x","tools":)" + tools));
  ASSERT_TRUE(response_head(request.job));
  EXPECT_TRUE(request.job.request.contains(tools));
  EXPECT_TRUE(request.job.params.contains("1e400"));
  EXPECT_EQ(instruction_messages(request.job), 1u);
}

TEST(ResponseRequest, EveryFaultIsNamedWhereItIs) {
  EXPECT_EQ(fault("[]"), "body invalid_json");
  EXPECT_EQ(fault(R"({"model":"m"})"), "input missing_field");
  EXPECT_EQ(fault(R"({"input":"x"})"), "model missing_field");
  EXPECT_EQ(fault(with_input("7")), "input invalid_field");
  EXPECT_EQ(fault(with_input("[]")), "input invalid_field");
  EXPECT_EQ(fault(with_input("[7]")), "input[0] invalid_field");
  EXPECT_EQ(fault(with_input(R"([{"role":"robot","content":"x"}])")),
            "input[0].role invalid_field");
  EXPECT_EQ(fault(with_input(R"([{"role":"user"}])")), "input[0].content missing_field");
  EXPECT_EQ(fault(with_input(R"([{"role":"user","content":[{"type":"video"}]}])")),
            "input[0].content[0].type not_supported");
  EXPECT_EQ(
      fault(with_input(R"([{"role":"user","content":[{"type":"input_image","file_id":"f"}]}])")),
      "input[0].content[0].file_id not_supported");
  EXPECT_EQ(fault(with_input(
                R"([{"role":"system","content":[{"type":"input_image","image_url":"f"}]}])")),
            "input[0].content[0].type not_supported");
  EXPECT_EQ(fault(with_input(R"([{"type":"web_search_call"}])")), "input[0].type not_supported");
  EXPECT_EQ(fault(with_input(R"([{"type":"function_call","call_id":"c","name":"f"}])")),
            "input[0].arguments missing_field");
  EXPECT_EQ(fault(with_input(R"([{"role":"user","role":"user","content":"x"}])")),
            "input[0].role duplicate_field");
  EXPECT_EQ(fault(with(R"("tools":[{"type":"web_search"}])")), "tools[0].type not_supported");
  EXPECT_EQ(fault(with(R"("tools":[{"type":"function","name":"a b"}])")),
            "tools[0].name invalid_field");
  EXPECT_EQ(fault(with(R"("tool_choice":"any")")), "tool_choice invalid_field");
  EXPECT_EQ(fault(with(R"("text":{"format":{"type":"xml"}})")), "text.format.type invalid_field");
  EXPECT_EQ(fault(with(R"("text":{"format":{"type":"json_schema","name":"n"}})")),
            "text.format.schema invalid_field");
  EXPECT_EQ(fault(with(R"("text":{"colour":"red"})")), "text.colour invalid_field");
  EXPECT_EQ(fault(with(R"("max_output_tokens":0)")), "max_output_tokens invalid_field");
  EXPECT_EQ(fault(with(R"("temperature":3)")), "temperature invalid_field");
  EXPECT_EQ(fault(with(R"("background":true,"store":false)")), "background invalid_field");
  EXPECT_EQ(fault(with(R"("stream_options":{})")), "stream_options invalid_field");
  EXPECT_EQ(fault(with(R"("include":["message.output_text.logprobs"])")), "include not_supported");
  EXPECT_EQ(fault(with(R"("include":["all"])")), "include invalid_field");
  EXPECT_EQ(fault(with(R"("reasoning":{"summary":"detailed"})")),
            "reasoning.summary not_supported");
  EXPECT_EQ(fault(with(R"("reasoning":{"summary":"long"})")), "reasoning.summary invalid_field");
  EXPECT_EQ(fault(with(R"("reasoning":{"effort":"huge"})")), "reasoning.effort invalid_field");
  EXPECT_EQ(fault(with(R"("service_tier":"golden")")), "service_tier invalid_field");
  EXPECT_EQ(fault(with(R"("prompt_cache_retention":"a year")")),
            "prompt_cache_retention invalid_field");
  EXPECT_EQ(fault(with(R"("text":{"verbosity":"loud"})")), "text.verbosity invalid_field");
  EXPECT_EQ(fault(with(R"("truncation":"auto")")), "truncation not_supported");
  EXPECT_EQ(fault(with(R"("conversation":"c")")), "conversation not_supported");
  EXPECT_EQ(fault(with(R"("top_logprobs":3)")), "top_logprobs not_supported");
  EXPECT_EQ(fault(with(R"("messages":[])")), "messages unknown_field");
  EXPECT_EQ(fault(with(R"("model":"n")")), "model duplicate_field");
  EXPECT_EQ(fault(with(R"("instructions":")" + std::string(300'000, 'x') + "\"")),
            "instructions too_large");
}

TEST(ResponseRequest, AnInputOfReasoningAloneIsToldToBeOne) {
  const auto read = parse_response_request(
      R"({"model":"m","input":[{"type":"reasoning","id":"rs_1","summary":[]}]})", {});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().field, "input");
  EXPECT_TRUE(read.error().detail.contains("nothing but `reasoning` items")) << read.error().detail;
}

TEST(ResponseRequest, OneThatIsNotStoredIsAJobThatIsNotKept) {
  EXPECT_FALSE(parse_response_request(with(R"("store":false)"), {})->job.kept);
  EXPECT_TRUE(parse_response_request(with(R"("store":true)"), {})->job.kept);
}

TEST(ResponseRequest, WhatChangesNoAnswerIsTaken) {
  EXPECT_EQ(fault(with(R"("include":["reasoning.encrypted_content"],"truncation":"disabled",)"
                       R"("service_tier":"auto","top_logprobs":0,"max_tool_calls":3,"store":false,)"
                       R"("stream":true,"stream_options":{"include_obfuscation":false},)"
                       R"("instructions":null,"tools":null)")),
            "none");
}

// --- read back

TEST(StoredItems, AreTheItemsThatWereGiven) {
  const JobId id = *JobId::parse("01a1fe87-e606-7657-bf68-4eb31e12a026");
  const std::string uuid = id.str();
  const auto request = read(with_input(
      R"([{"role":"user","content":"hi"},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},)"
      R"({"type":"function_call_output","call_id":"c","output":"one"},)"
      R"({"role":"user","content":[{"type":"input_image","image_url":"data:x"}]}])"));
  const auto items = items_of_messages(request.job.input, 0);
  ASSERT_EQ(items.size(), 4u);
  EXPECT_EQ(input_item_json(id, 0, items[0]),
            R"({"id":"msg_)" + uuid +
                R"(_i0","type":"message","status":"completed","role":"user",)"
                R"("content":[{"type":"input_text","text":"hi"}]})");
  EXPECT_EQ(input_item_json(id, 1, items[1]),
            R"({"id":"fc_)" + uuid +
                R"(_i1","type":"function_call","status":"completed","call_id":"c","name":"f",)"
                R"("arguments":"{}"})");
  EXPECT_EQ(input_item_json(id, 2, items[2]),
            R"({"id":"fco_)" + uuid +
                R"(_i2","type":"function_call_output","status":"completed","call_id":"c",)"
                R"("output":"one"})");
  EXPECT_TRUE(input_item_json(id, 3, items[3])
                  .contains(R"([{"type":"input_image","image_url":"data:x","detail":"auto"}])"));
  EXPECT_EQ("[" + messages_json(items) + "]", request.job.input);
}

TEST(StoredItems, AnAnswerIsWhatWasSaidAndItsCalls) {
  Outcome outcome;
  outcome.text = "hm";
  outcome.tool_calls = {{"c", "f", "{}"}};
  EXPECT_EQ(messages_json(items_of_outcome(outcome)),
            R"({"role":"assistant","content":"hm","tool_calls":[{"id":"c","type":"function",)"
            R"("function":{"name":"f","arguments":"{}"}}]})");
}

TEST(ResponseIds, AreReadBackAndNothingElseIs) {
  const JobId id = *JobId::parse("01a1fe87-e606-7657-bf68-4eb31e12a026");
  EXPECT_EQ(job_of_response(response_id(id)), id);
  EXPECT_FALSE(job_of_response("resp_1"));
  EXPECT_FALSE(job_of_response(id.str()));
  const ItemName name{.kind = ItemKind::call_output, .job = id, .input = true, .place = 12};
  const auto read = parse_item_name(to_string(name));
  ASSERT_TRUE(read);
  EXPECT_EQ(to_string(*read), "fco_" + id.str() + "_i12");
  for (const std::string& text :
       {std::string(), std::string("msg_"), "msg_" + id.str(), "msg_" + id.str() + "_",
        "msg_" + id.str() + "_i", "msg_" + id.str() + "_1x"})
    EXPECT_FALSE(parse_item_name(text)) << text;
}

}  // namespace
}  // namespace millrace::openai
