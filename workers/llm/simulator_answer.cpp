#include "workers/llm/simulator_answer.h"

#include <algorithm>

#include "shared/runtime/json_text.h"

namespace millrace {
namespace {

// Slow enough that a person sees the default answer come.
constexpr auto default_first = 150ms;
constexpr auto default_gap = 25ms;

SimModel default_model(std::size_t tokens) {
  SimModel model;
  model.first = default_first;
  model.gap = default_gap;
  model.tokens = static_cast<std::uint32_t>(tokens);
  return model;
}

void append_stamp(std::string& out, Instant now) {
  out += '@';
  const auto ns = std::chrono::nanoseconds(now.time_since_epoch()).count();
  append_number(out, static_cast<std::uint64_t>(ns));
  out += "@ ";
}

}  // namespace

SimAnswer::SimAnswer(const SimRequest& request) : text_(request.prompt, request.question) {
  if (const auto named = sim_model(request.model)) {
    model_ = *named;
  } else {
    fixed_ = &sim_default_answer(request.question);
    model_ = default_model(fixed_->size());
  }
  if (model_.tool_calls > 0 && !request.tools.empty()) {
    tools_ = request.tools;
    pieces_ = tool_pieces(tools_, model_.tool_calls);
    model_.tokens = static_cast<std::uint32_t>(pieces_.size());
  }
  if (model_.fault == SimFault::endless) model_.tokens = UINT32_MAX - 1;
  if (calls_tools())
    place_ = {};
  else if (model_.stamped)
    place_.tokens = std::min(stamps_in(request.prefix), model_.tokens);
  else if (!request.prefix.empty())
    place_ = place_after(request.prefix, model_.tokens,
                         [this](std::uint32_t number) { return token(number); });
  last_ = model_.tokens;
  if (!request.stop.empty() && !calls_tools() && !model_.stamped) stop_before(request.stop);
  if (!request.max_tokens || model_.fault == SimFault::endless) return;
  if (last_ > place_.tokens && last_ - place_.tokens > *request.max_tokens) {
    last_ = place_.tokens + *request.max_tokens;
    cut_by_limit_ = true;
  }
}

std::string_view SimAnswer::finish_reason() const {
  if (cut_by_limit_) return "length";
  return calls_tools() ? "tool_calls" : "stop";
}

/// Ends the answer before the token that would complete one of these.
void SimAnswer::stop_before(const std::vector<std::string>& stops) {
  std::string said;
  for (std::uint32_t number = 1; number <= model_.tokens; ++number) {
    said += token(number);
    const auto holds = [&said](const std::string& stop) { return said.contains(stop); };
    if (std::ranges::none_of(stops, holds)) continue;
    last_ = std::max(number - 1, place_.tokens);
    return;
  }
}

std::string_view SimAnswer::token(std::uint32_t number) const {
  return fixed_ ? std::string_view((*fixed_)[number - 1]) : text_.token(number);
}

Duration SimAnswer::due(std::uint32_t number) const {
  return model_.first + (number - first()) * model_.gap;
}

void SimAnswer::append_token(std::string& out, std::uint32_t number, Instant now) const {
  if (model_.stamped) return append_stamp(out, now);
  out += token(number).substr(number == first() ? place_.begun_bytes : 0);
}

std::string_view SimAnswer::member_of(std::uint32_t number) const {
  if (number <= model_.thoughts) return "reasoning_content";
  return model_.refuses ? "refusal" : "content";
}

bool SimAnswer::strikes_after(std::uint32_t number) const {
  switch (model_.fault) {
    case SimFault::cut:
    case SimFault::in_band:
    case SimFault::stall:
      return number == model_.at;
    // A short answer is to be spoilt too.
    case SimFault::garbage:
      return number == std::min(model_.at, model_.tokens);
    default:
      return false;
  }
}

SimWriter::SimWriter(std::string_view id, std::int64_t created_s, const SimRequest& request)
    : id_(id),
      created_s_(created_s),
      prompt_tokens_(request.prompt_tokens()),
      with_usage_(request.include_usage) {
  append_json_string(model_json_, request.model);
  head_.append(R"(data: {"id":")").append(id_);
  head_.append(R"(","object":"chat.completion.chunk","created":)");
  append_number(head_, static_cast<std::uint64_t>(created_s_));
  head_.append(R"(,"model":)").append(model_json_);
  head_ += R"(,"system_fingerprint":"fp_millrace_sim","choices":[)";
  tail_ = with_usage_ ? "],\"usage\":null}\n\n" : "]}\n\n";
}

void SimWriter::role(std::string& out) const {
  out += head_;
  out += R"({"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,)";
  out += R"("finish_reason":null})";
  out += tail_;
}

void SimWriter::token(std::string& out, std::string_view member, std::string_view text) const {
  out += head_;
  out.append(R"({"index":0,"delta":{")").append(member).append("\":\"");
  append_json_escaped(out, text);
  out += R"("},"logprobs":null,"finish_reason":null})";
  out += tail_;
}

std::string SimWriter::call_id(std::size_t call) const {
  return "call_" + id_ + "_" + std::to_string(call);
}

void SimWriter::tool(std::string& out, const SimToolPiece& piece, const SimTool& tool) const {
  out += head_;
  out += R"({"index":0,"delta":{"tool_calls":[{"index":)";
  append_number(out, std::uint64_t{piece.call});
  if (piece.first) {
    out += R"(,"id":)";
    append_json_string(out, call_id(piece.call));
    out += R"(,"type":"function","function":{"name":)";
    append_json_string(out, tool.name);
    out += R"(,"arguments":""}}]})";
  } else {
    out += R"(,"function":{"arguments":)";
    append_json_string(out, piece.arguments);
    out += "}}]}";
  }
  out += R"(,"logprobs":null,"finish_reason":null})";
  out += tail_;
}

void SimWriter::append_calls(std::string& out, const SimAnswer& answer) const {
  out += R"(,"tool_calls":[)";
  for (const auto& piece : answer.pieces()) {
    if (!piece.first) continue;
    const SimTool& tool = answer.tool(piece.call);
    out.append(out.back() == '[' ? "" : ",").append(R"({"id":)");
    append_json_string(out, call_id(piece.call));
    out += R"(,"type":"function","function":{"name":)";
    append_json_string(out, tool.name);
    out += R"(,"arguments":)";
    append_json_string(out, tool.arguments);
    out += "}}";
  }
  out += ']';
}

void SimWriter::end(std::string& out, std::string_view finish_reason) const {
  out += head_;
  out += R"({"index":0,"delta":{},"logprobs":null,"finish_reason":")";
  out.append(finish_reason).append("\"}");
  out += tail_;
}

void SimWriter::append_usage(std::string& out, std::uint32_t completion_tokens) const {
  out += R"("usage":{"prompt_tokens":)";
  append_number(out, std::uint64_t{prompt_tokens_});
  out += R"(,"completion_tokens":)";
  append_number(out, std::uint64_t{completion_tokens});
  out += R"(,"total_tokens":)";
  append_number(out, std::uint64_t{prompt_tokens_} + completion_tokens);
  out += '}';
}

void SimWriter::usage(std::string& out, std::uint32_t completion_tokens) const {
  if (!with_usage_) return;
  out += head_;
  out += "],";
  append_usage(out, completion_tokens);
  out += "}\n\n";
}

std::string SimWriter::whole(const SimSaid& said, const SimAnswer& answer) const {
  std::string out = R"({"id":")" + id_ + R"(","object":"chat.completion","created":)";
  append_number(out, static_cast<std::uint64_t>(created_s_));
  out.append(R"(,"model":)").append(model_json_);
  out += R"(,"system_fingerprint":"fp_millrace_sim","choices":[{"index":0,"message":)";
  out += R"({"role":"assistant","content":")";
  append_json_escaped(out, said.content);
  out += R"(","refusal":)";
  if (said.refusal.empty())
    out += "null";
  else
    append_json_string(out, said.refusal);
  if (!said.reasoning.empty()) {
    out += R"(,"reasoning_content":)";
    append_json_string(out, said.reasoning);
  }
  if (answer.calls_tools()) append_calls(out, answer);
  out += R"(},"logprobs":null,"finish_reason":")";
  out.append(answer.finish_reason()).append("\"}],");
  append_usage(out, answer.asked());
  return out += '}';
}

}  // namespace millrace
