#include "producer/conversations/answer_end.h"

#include <simdjson.h>

#include "producer/conversations/detail_shape.h"
#include "shared/contract/raw_members.h"
#include "shared/runtime/json_text.h"
#include "shared/sessions.h"

namespace millrace::conversations {
namespace {

constexpr std::string_view interrupted = "The answer was stopped before its end";
constexpr std::string_view too_late = "The answer was not there before its deadline";
constexpr std::string_view away_code = "upstream_unavailable";
constexpr std::string_view away = "LLM server not available";

std::string failed(std::string_view code, std::string_view message) {
  if (code == away_code) return std::string(away);
  return "The model's server failed: " + std::string(message);
}

}  // namespace

std::string answer_json(const StoredJob& job, std::string_view session) {
  std::string out = R"({"content":)";
  append_json_string(out, job.outcome->text);
  out += R"(,"session_id":)";
  append_json_string(out, session);
  out += R"(,"message_id":)";
  append_json_string(out, answer_id(job.id));
  out += R"(,"token_usage":)";
  out += job.outcome->usage.empty() ? "null" : job.outcome->usage;
  return out += '}';
}

http::Response without_answer(const Outcome& outcome) {
  if (outcome.state == JobState::cancelled) return detail_response(409, interrupted);
  if (outcome.state == JobState::expired) return detail_response(504, too_late);
  return detail_response(outcome.error_code == away_code ? 503 : 502,
                         failed(outcome.error_code, outcome.error_message));
}

AnswerEnd answer_end(const relay::Frame& terminal) {
  AnswerEnd end;
  if (terminal.type == "cancelled") {
    end.code = "interrupted";
    end.words = interrupted;
    return end;
  }
  if (terminal.type == "expired") {
    end.code = "expired";
    end.words = too_late;
    return end;
  }
  thread_local simdjson::dom::parser parser;
  simdjson::dom::element event;
  if (parser.parse(terminal.data.data(), terminal.data.size()).get(event)) return end;
  const auto read = [&event](std::string_view pointer, std::string& into) {
    std::string_view text;
    if (!event.at_pointer(pointer).get(text)) into = text;
  };
  end.answered = terminal.type == "done";
  if (end.answered) {
    read("/result/text", end.content);
    read("/result/finish_reason", end.finish_reason);
    end.token_usage = raw_member(terminal.data, event, "usage");
    return end;
  }
  std::string message;
  read("/code", end.code);
  read("/message", message);
  end.words = failed(end.code, message);
  return end;
}

}  // namespace millrace::conversations
