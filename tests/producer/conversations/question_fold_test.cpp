#include "producer/conversations/question_fold.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/producer/conversations/told.h"

namespace millrace::conversations {
namespace {

using namespace conversations_test;
using Blocks = std::vector<std::string>;

std::string line(const std::string& type, const std::string& members = "") {
  return R"(data: {"type":")" + type + "\"" + (members.empty() ? "" : "," + members) +
         R"(,"elapsed":0.040})";
}
std::string status(const std::string& message) {
  return line("status", R"("message":")" + message + "\"");
}
const std::string choosing = status("도구 선택 중...");
const std::string putting_together = status("분석 결과를 통합하여 최종 답변 생성 중...");

std::string answered(const std::string& text) {
  return line("ai_response", R"("data":{"answer":")" + text +
                                 R"(","session_id":"s","message_id":)"
                                 R"("01a1fe87-e606-7657-bf68-4eb31e12a026",)"
                                 R"("token_usage":{"total_tokens":6}})");
}

Blocks told_by(const Log& log) {
  QuestionFold fold("s", id);
  return told(fold, log);
}

TEST(QuestionFold, AnAnswerWithoutToolsIsToldWhole) {
  EXPECT_EQ(
      told_by(
          Log().queued().started().delta("현재 ").delta("조건에서").end(answer("현재 조건에서"))),
      (Blocks{choosing, "id: 1", answered("현재 조건에서"), line("done"), "id: 5"}));
}

TEST(QuestionFold, AToolsResultIsToldUnderItsOwnTypeToo) {
  const std::string tool = R"("tool":"predict_quality")";
  const std::string result = R"({"prediction": {"양품": 0.9}})";
  EXPECT_EQ(told_by(Log()
                        .queued()
                        .started()
                        .event("tool_start", tool + R"(,"call_id":"1","arguments":{"a": 1})")
                        .event("tool_end", tool + R"(,"call_id":"1","result":)" + result)
                        .end(answer("좋음"))),
            (Blocks{choosing, "id: 1",
                    line("tool_start", tool + R"(,"call_id":"1","arguments":{"a": 1})"), "id: 3",
                    line("tool_end", tool + R"(,"call_id":"1","result":)" + result),
                    line("t1_result", R"("data":)" + result), putting_together, "id: 4",
                    answered("좋음"), line("done"), "id: 5"}));
}

TEST(QuestionFold, EveryKnownToolHasItsType) {
  const auto type_of = [](const std::string& tool) {
    return told_by(Log().queued().event("tool_end", R"("tool":")" + tool + R"(","result":7)"))[3];
  };
  EXPECT_EQ(type_of("predict_quality"), line("t1_result", R"("data":7)"));
  EXPECT_EQ(type_of("analyze_feature_importance"), line("t2_result", R"("data":7)"));
  EXPECT_EQ(type_of("search_knowledge_base"), line("t3_result", R"("data":7)"));
  EXPECT_EQ(type_of("calculator"), putting_together);
}

TEST(QuestionFold, ResultsArePutTogetherOnceAllToolsHaveAnswered) {
  const auto blocks = told_by(Log()
                                  .queued()
                                  .event("tool_start", R"("tool":"a")")
                                  .event("tool_start", R"("tool":"b")")
                                  .event("tool_end", R"("tool":"b","result":{})")
                                  .event("tool_end", R"("tool":"a","result":{})"));
  EXPECT_EQ(std::ranges::count(blocks, putting_together), 1);
  EXPECT_EQ(blocks[blocks.size() - 2], putting_together);
}

TEST(QuestionFold, AnEventThatHasATypeOfItsOwnKeepsIt) {
  EXPECT_EQ(told_by(Log().queued().event("table", R"("columns":["a"],"rows":[[1]])")),
            (Blocks{choosing, "id: 1", line("table", R"("columns":["a"],"rows":[[1]])"), "id: 2"}));
}

TEST(QuestionFold, AnAnswerThatBeginsAnewIsAStatus) {
  EXPECT_EQ(
      told_by(Log().queued().started().rewind(2).delta("x").rewind(2).delta("y").end(answer("y"))),
      (Blocks{choosing, "id: 1", status("답변을 다시 생성 중..."), "id: 5", answered("y"),
              line("done"), "id: 7"}));
}

TEST(QuestionFold, AnEndWithoutAnAnswerIsAnErrorAlone) {
  EXPECT_EQ(told_by(Log().queued().end(ended(JobState::failed, "upstream_unavailable", "x"))),
            (Blocks{choosing, "id: 1",
                    line("error",
                         R"("message":"LLM server not available","code":"upstream_unavailable")"),
                    "id: 2"}));
}

}  // namespace
}  // namespace millrace::conversations
