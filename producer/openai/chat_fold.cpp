#include "producer/openai/chat_fold.h"

#include <simdjson.h>

#include "producer/openai/chat_completion.h"
#include "producer/openai/chat_failure.h"
#include "producer/openai/error_shape.h"
#include "shared/contract/raw_members.h"
#include "shared/runtime/json_text.h"

namespace millrace::openai {

namespace dom = simdjson::dom;

ChatFold::ChatFold(const ChatHead& head) : include_usage_(head.include_usage) {
  head_ = R"(data: {"id":)";
  append_json_string(head_, completion_id(head.id));
  head_ += R"(,"object":"chat.completion.chunk","created":)";
  append_number(head_, created_s(head.created_at));
  head_ += R"(,"model":)";
  before_model_ = head_.size();
  name_model(head.model);
  tail_ = include_usage_ ? "],\"usage\":null}\n\n" : "]}\n\n";
}

void ChatFold::name_model(std::string_view model) {
  head_.resize(before_model_);
  append_json_string(head_, model);
  head_ += R"(,"choices":[)";
}

void ChatFold::take(std::string_view type, Seq seq, std::string_view json, std::string& out) {
  if (over_) return;
  job_ended_ = terminal_event(type);
  if (type == "delta") return delta(out, seq, json);
  if (type == "reasoning") return aside(out, seq, "reasoning_content", json);
  if (type == "refusal") return aside(out, seq, "refusal", json);
  if (type == "rewind") return rewind(out, json);
  if (type == "snapshot") return replace(out, seq, text_member(json, R"(","upto":)"));
  if (type == "tool_call") return tool_call(out, json);
  if (type == "done") return done(out, json);
  if (type == "gap")
    lost_ = true;
  else if (job_ended_)
    fail(failure_told(type, json), out);
}

/// The chunk that says who speaks, before the first one that says something.
void ChatFold::speak(std::string& out, std::string_view content) {
  if (std::exchange(spoken_, true)) return;
  std::string role = R"("role":"assistant","content":)";
  role += content;
  chunk(out, role, {});
}

void ChatFold::chunk(std::string& out, std::string_view delta, std::string_view finish_reason) {
  out += head_;
  out.append(R"({"index":0,"delta":{)").append(delta).append(R"(},"logprobs":null,)");
  if (finish_reason.empty()) {
    out += R"("finish_reason":null})";
  } else {
    out.append(R"("finish_reason":")").append(finish_reason).append(R"("})");
  }
  out += tail_;
}

void ChatFold::content(std::string& out, std::string_view escaped) {
  if (escaped.empty()) return;
  speak(out, R"("")");
  out += head_;
  out.append(R"({"index":0,"delta":{"content":")").append(escaped);
  out.append(R"("},"logprobs":null,"finish_reason":null})").append(tail_);
  said_ += escaped;
}

void ChatFold::delta(std::string& out, Seq seq, std::string_view json) {
  if (lost_) return;  // there may be a hole in front of it
  content(out, text_member(json));
  last_said_ = seq;
}

/// By the name that OpenAI's own have for it, or the servers that reason.
void ChatFold::aside(std::string& out, Seq seq, std::string_view name, std::string_view json) {
  const auto escaped = text_member(json);
  if (lost_ || escaped.empty()) return;
  speak(out, R"("")");
  std::string delta = "\"" + std::string(name) + R"(":")";
  chunk(out, delta.append(escaped).append("\""), {});
  asides_ = true;
  last_said_ = seq;
}

/// A rewind that takes back nothing of what was told changes nothing.
void ChatFold::rewind(std::string& out, std::string_view json) {
  const Seq to = number_member(json, R"(,"to":)");
  if (to == 0) lost_ = false;
  if ((said_.empty() && !asides_) || last_said_ <= to) return;
  fail(stream_restarted(), out);
}

/// The whole text so far: what the client holds must be how it begins.
void ChatFold::replace(std::string& out, Seq seq, std::string_view escaped) {
  if (!escaped.starts_with(said_)) return fail(stream_restarted(), out);
  content(out, escaped.substr(said_.size()));
  if (seq > 0) last_said_ = seq;
  lost_ = false;
}

void ChatFold::tool_call(std::string& out, std::string_view json) {
  const auto calls = read_tool_calls("[" + std::string(json) + "]");
  if (calls.empty()) return;
  speak(out, said_.empty() ? "null" : R"("")");
  std::string delta = R"("tool_calls":[{"index":)";
  append_number(delta, std::uint64_t{calls_++});
  delta += ',';
  append_call(delta, calls.front());
  chunk(out, delta += "}]", {});
}

void ChatFold::done(std::string& out, std::string_view json) {
  thread_local dom::parser parser;
  dom::element event;
  std::string_view text;
  std::string_view reason;
  std::string_view model;
  if (parser.parse(json.data(), json.size()).get(event)) return;
  if (lost_ && !event.at_pointer("/result/text").get(text)) {
    std::string escaped;
    append_json_escaped(escaped, text);
    replace(out, 0, escaped);
    if (over_) return;
  }
  dom::element calls;
  if (calls_ == 0 && !event.at_pointer("/result/tool_calls").get(calls))
    for (const auto call : calls.get_array()) tool_call(out, simdjson::minify(call));
  (void)event.at_pointer("/result/finish_reason").get(reason);
  speak(out, R"("")");
  if (!event.at_pointer("/result/model").get(model) && !model.empty()) name_model(model);
  chunk(out, {}, finish_reason(reason));
  const auto usage = raw_member(json, event, "usage");
  if (include_usage_ && !usage.empty())
    out.append(head_).append(R"(],"usage":)").append(usage).append("}\n\n");
  out += "data: [DONE]\n\n";
  over_ = true;
}

void ChatFold::fail(Problem problem, std::string& out) {
  out.append("data: ").append(error_json(problem)).append("\n\n");
  failure_ = std::move(problem);
  over_ = true;
}

}  // namespace millrace::openai
