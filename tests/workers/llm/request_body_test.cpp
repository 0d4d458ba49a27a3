#include "workers/llm/request_body.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

std::string request(std::string input, std::string_view prefix, ModelDefaults defaults = {}) {
  Job job;
  job.input = std::move(input);
  return chat_request(ChatTurn{job, prefix}, defaults);
}
const std::string end =
    R"(,"stream":true,"stream_options":{"include_usage":true},"max_tokens":256,"temperature":0.7})";

TEST(ChatRequest, AStringIsOneUserMessage) {
  EXPECT_EQ(request(R"("h\"i")", ""),
            R"({"model":"default","messages":[{"role":"user","content":"h\"i"}])" + end);
}

TEST(ChatRequest, AListIsSentAsItStands) {
  const std::string list = R"([ {"role":"user","content":"a","name":"x"} ])";
  EXPECT_EQ(request(list, ""), R"({"model":"default","messages":)" + list + end);
}

TEST(ChatRequest, APrefixIsATrailingAssistantMessage) {
  EXPECT_EQ(request(R"("hi")", "so\nfar"),
            R"({"model":"default","messages":[{"role":"user","content":"hi"},)"
            R"({"role":"assistant","content":"so\nfar"}])" +
                end);
  EXPECT_EQ(request(R"([{"role":"user","content":"a"} ] )", "b"),
            R"({"model":"default","messages":[{"role":"user","content":"a"},)"
            R"({"role":"assistant","content":"b"}])" +
                end);
}

TEST(ChatRequest, APrefixBelongsToATrailingAssistantMessageOfTheJob) {
  EXPECT_EQ(
      request(R"([{"role":"user","content":"a"},{"role":"assistant","content":"One"}])", " two"),
      R"({"model":"default","messages":[{"role":"user","content":"a"},)"
      R"({"role":"assistant","content":"One two"}])" +
          end);
}

TEST(ChatRequest, ThePrefillBodyIsMergedOnlyWithAPrefix) {
  ModelDefaults defaults;
  defaults.prefill_body = R"({ "continue_final_message": true, "add_generation_prompt": false })";
  EXPECT_EQ(request(R"("a")", "", defaults).find("continue"), std::string::npos);
  const std::string with = request(R"("a")", "b", defaults);
  EXPECT_TRUE(with.ends_with(
      R"("temperature":0.7,"continue_final_message": true, "add_generation_prompt": false})"))
      << with;
}

TEST(ChatRequest, OnlyWhatIsLeftOfTheTokensIsAskedFor) {
  Job job;
  job.input = R"("a")";
  job.max_tokens = 100;
  EXPECT_NE(chat_request({job, "x y z", 40}, {}).find(R"("max_tokens":60)"), std::string::npos);
  EXPECT_NE(chat_request({job, "x y z", 400}, {}).find(R"("max_tokens":1,)"), std::string::npos);
}

TEST(ChatRequest, IsSentBelowABaseWithOrWithoutVersion) {
  for (const char* base : {"http://h:1", "http://h:1/", "http://h:1/v1", "http://h:1/v1/"})
    EXPECT_EQ(completions_url(base), "http://h:1/v1/chat/completions");
}

TEST(ChatRequest, SaysWhatIsWrongWithAPrefillBody) {
  EXPECT_TRUE(prefill_body_fault("").empty());
  EXPECT_TRUE(prefill_body_fault(R"({"a":1})").empty());
  EXPECT_FALSE(prefill_body_fault("[1]").empty());
  EXPECT_FALSE(prefill_body_fault("{").empty());
}

TEST(ChatRequest, OtherParametersGoOnAsTheyStand) {
  Job job;
  job.input = R"("a")";
  job.max_tokens = 9;
  job.max_completion_tokens = true;
  job.params = R"({"top_p":0.10,"tools":[{"type":"function"}]})";
  const std::string body = chat_request({job, ""}, {});
  EXPECT_TRUE(body.ends_with(R"(,"max_completion_tokens":9,"temperature":0.7,"top_p":0.10,)"
                             R"("tools":[{"type":"function"}]})"))
      << body;
}

TEST(ChatRequest, WhatIsNotSaidIsTheServersToChooseWhereTheJobSaysSo) {
  Job job;
  job.input = R"("a")";
  job.server_defaults = true;
  EXPECT_TRUE(chat_request({job, ""}, {}).ends_with(R"("stream_options":{"include_usage":true}})"));
  job.temperature = 0;
  job.max_tokens = 5;
  EXPECT_TRUE(chat_request({job, ""}, {}).ends_with(R"(,"max_tokens":5,"temperature":0})"));
}

}  // namespace
}  // namespace millrace
