#include "producer/conversations/question_fold.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <utility>

#include "producer/conversations/answer_end.h"
#include "producer/conversations/data_line.h"
#include "shared/contract/raw_members.h"
#include "shared/runtime/json_text.h"
#include "shared/sessions.h"

namespace millrace::conversations {
namespace {

constexpr std::string_view choosing = "도구 선택 중...";
constexpr std::string_view putting_together = "분석 결과를 통합하여 최종 답변 생성 중...";
constexpr std::string_view once_more = "답변을 다시 생성 중...";

struct ResultLine {
  std::string_view tool;
  std::string_view type;
};
constexpr std::array result_lines{ResultLine{"predict_quality", "t1_result"},
                                  ResultLine{"analyze_feature_importance", "t2_result"},
                                  ResultLine{"search_knowledge_base", "t3_result"}};

}  // namespace

void QuestionFold::take(const relay::Frame& frame, std::string& out) {
  if (over_) return;
  const std::size_t told = out.size();
  if (!started_) status(frame, choosing, out);
  started_ = true;
  tell(frame, out);
  if (out.size() > told && frame.seq) append_id_block(out, *frame.seq);
}

void QuestionFold::tell(const relay::Frame& frame, std::string& out) {
  const auto type = frame.type;
  if (type == "queued" || type == "started" || type == "gap") return;
  if (type == "delta" || type == "snapshot") {
    spoken_ = true;
  } else if (type == "rewind") {
    if (std::exchange(spoken_, false)) status(frame, once_more, out);
  } else if (terminal_event(type)) {
    end(frame, out);
  } else {
    DataLine(out, type).members_of(frame.data).end(frame.data);
    if (type == "tool_start") ++tools_running_;
    if (type == "tool_end") tool_end(frame, out);
  }
}

void QuestionFold::status(const relay::Frame& frame, std::string_view message, std::string& out) {
  DataLine(out, "status").text("message", message).end(frame.data);
}

void QuestionFold::tool_end(const relay::Frame& frame, std::string& out) {
  thread_local simdjson::dom::parser parser;
  simdjson::dom::element event;
  std::string_view tool;
  if (!parser.parse(frame.data.data(), frame.data.size()).get(event) && !event["tool"].get(tool)) {
    const auto line = std::ranges::find(result_lines, tool, &ResultLine::tool);
    const auto result = raw_member(frame.data, event, "result");
    if (line != result_lines.end()) DataLine(out, line->type).json("data", result).end(frame.data);
  }
  if (tools_running_ > 0) --tools_running_;
  if (tools_running_ == 0) status(frame, putting_together, out);
}

void QuestionFold::end(const relay::Frame& frame, std::string& out) {
  over_ = true;
  const AnswerEnd end = answer_end(frame);
  if (!end.answered) {
    DataLine error(out, "error");
    error.text("message", end.words).text("code", end.code).end(frame.data);
    return;
  }
  std::string data = R"({"answer":)";
  append_json_string(data, end.content);
  data += R"(,"session_id":)";
  append_json_string(data, session_);
  data += R"(,"message_id":)";
  append_json_string(data, answer_id(id_));
  data.append(R"(,"token_usage":)").append(end.token_usage.empty() ? "null" : end.token_usage);
  DataLine(out, "ai_response").json("data", data + "}").end(frame.data);
  DataLine(out, "done").end(frame.data);
}

}  // namespace millrace::conversations
