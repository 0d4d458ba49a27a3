#include "producer/openai/response_object.h"

#include <simdjson.h>

#include "producer/openai/chat_completion.h"
#include "producer/openai/chat_failure.h"
#include "shared/contract/any_json.h"
#include "shared/runtime/json_text.h"

namespace millrace::openai {
namespace {

namespace dom = simdjson::dom;

std::uint64_t number_at(dom::element usage, std::string_view pointer) {
  std::uint64_t number = 0;
  (void)usage.at_pointer(pointer).get(number);
  return number;
}

void append_count(std::string& out, std::string_view name, std::uint64_t count) {
  out.append(name);
  append_number(out, count);
}

/// The same counts by the names they have here.
void append_usage(std::string& out, std::string_view usage) {
  dom::parser parser;
  dom::element counts;
  if (usage.empty() || parser.parse(usage.data(), usage.size()).get(counts)) {
    out += "null";
    return;
  }
  append_count(out, R"({"input_tokens":)", number_at(counts, "/prompt_tokens"));
  append_count(out, R"(,"input_tokens_details":{"cached_tokens":)",
               number_at(counts, "/prompt_tokens_details/cached_tokens"));
  append_count(out, R"(},"output_tokens":)", number_at(counts, "/completion_tokens"));
  append_count(out, R"(,"output_tokens_details":{"reasoning_tokens":)",
               number_at(counts, "/completion_tokens_details/reasoning_tokens"));
  append_count(out, R"(},"total_tokens":)", number_at(counts, "/total_tokens"));
  out += '}';
}

/// OpenAI has few codes for it; ours stands beside, as its `type`.
std::string_view error_code(const Problem& problem) {
  if (problem.status == 429) return "rate_limit_exceeded";
  return problem.status == 400 ? "invalid_prompt" : "server_error";
}

void append_error(std::string& out, const Problem& problem) {
  out += R"({"code":)";
  append_json_string(out, error_code(problem));
  out += R"(,"message":)";
  append_json_string(out, problem.detail);
  out += R"(,"type":)";
  append_json_string(out, problem.code);
  out += '}';
}

std::string_view live_status(const ResponseHead& head, JobState state) {
  return head.background && state == JobState::queued ? "queued" : "in_progress";
}

std::string part_of(PartKind kind, std::string_view text) {
  std::string escaped;
  append_json_escaped(escaped, text);
  return content_part(kind, escaped);
}

/// What was said in the answer's message; nothing where there is none.
std::string message_content(const Outcome& outcome) {
  std::string content;
  const bool refused = !outcome.asides.refusal.empty();
  const bool empty = outcome.state == JobState::succeeded && outcome.tool_calls.empty() && !refused;
  if (!outcome.text.empty() || empty) content = part_of(PartKind::text, outcome.text);
  if (!refused) return content;
  if (!content.empty()) content += ',';
  return content += part_of(PartKind::refusal, outcome.asides.refusal);
}

/// What was reasoned, what was said, and the calls; a job that failed or was cancelled has what
/// there was by then.
std::string output_of(const ResponseHead& head, const Outcome& outcome, std::string_view status) {
  std::string out;
  if (!outcome.asides.reasoning.empty()) {
    const ItemName name{.kind = ItemKind::reasoning, .job = head.id};
    out = reasoning_item(to_string(name), "completed",
                         part_of(PartKind::reasoning, outcome.asides.reasoning));
  }
  const std::string content = message_content(outcome);
  if (!content.empty()) {
    const ItemName name{.kind = ItemKind::message, .job = head.id};
    if (!out.empty()) out += ',';
    out += message_item(to_string(name), status == "completed" ? status : "incomplete", content);
  }
  std::uint64_t place = 0;
  for (const auto& call : outcome.tool_calls) {
    if (!out.empty()) out += ',';
    const ItemName name{.kind = ItemKind::call, .job = head.id, .place = place++};
    out += call_item(to_string(name), "completed", call, call.arguments);
  }
  return out;
}

}  // namespace

std::optional<ResponseHead> response_head(const Job& job) {
  dom::parser parser;
  dom::element shown;
  if (job.request.empty() || parse_any_json(parser, job.request, shown)) return std::nullopt;
  ResponseHead head{
      .id = job.id, .created_at = job.created_at, .model = job.model, .shown = job.request};
  if (shown["background"].get(head.background) || shown["store"].get(head.stored))
    return std::nullopt;
  return head;
}

FinishedAs finished_as(std::string_view word) {
  const auto reason = finish_reason(word);
  if (reason == "length") return {"incomplete", "max_output_tokens"};
  if (reason == "content_filter") return {"incomplete", "content_filter"};
  return {"completed", ""};
}

std::string response_json(const ResponseHead& head, const ResponseState& state) {
  std::string out;
  out.reserve(512 + head.shown.size() + state.output.size());
  out += R"({"id":)";
  append_json_string(out, response_id(head.id));
  out += R"(,"object":"response","created_at":)";
  append_number(out, created_s(head.created_at));
  out.append(R"(,"status":")").append(state.status).append(R"(","error":)");
  if (state.error)
    append_error(out, *state.error);
  else
    out += "null";
  out += R"(,"incomplete_details":)";
  if (state.incomplete.empty())
    out += "null";
  else
    out.append(R"({"reason":")").append(state.incomplete).append("\"}");
  out += R"(,"model":)";
  append_json_string(out, state.model.empty() ? std::string_view(head.model) : state.model);
  out.append(R"(,"output":[)").append(state.output).append(R"(],"usage":)");
  append_usage(out, state.usage);
  out += ',';
  return out.append(head.shown, 1);
}

std::string response_json(const ResponseHead& head, const StoredJob& job) {
  if (!terminal(job.state) || !job.outcome)
    return response_json(head, {.status = live_status(head, job.state)});
  const Outcome& outcome = *job.outcome;
  ResponseState state{.status = "failed", .model = outcome.model, .usage = outcome.usage};
  if (job.state == JobState::succeeded) {
    const auto finished = finished_as(outcome.finish_reason);
    state.status = finished.status;
    state.incomplete = finished.incomplete;
  } else if (job.state == JobState::cancelled) {
    state.status = "cancelled";
  } else {
    state.error = failure_of(outcome);
  }
  const std::string output = output_of(head, outcome, state.status);
  state.output = output;
  return response_json(head, state);
}

std::string content_part(PartKind kind, std::string_view text) {
  std::string out;
  if (kind == PartKind::text)
    out = R"({"type":"output_text","annotations":[],"logprobs":[],"text":")";
  else if (kind == PartKind::refusal)
    out = R"({"type":"refusal","refusal":")";
  else
    out = R"({"type":"reasoning_text","text":")";
  return out.append(text).append("\"}");
}

std::string message_item(std::string_view name, std::string_view status, std::string_view content) {
  std::string out = R"({"id":")";
  out.append(name).append(R"(","type":"message","status":")").append(status);
  return out.append(R"(","role":"assistant","content":[)").append(content).append("]}");
}

std::string reasoning_item(std::string_view name, std::string_view status,
                           std::string_view content) {
  std::string out = R"({"id":")";
  out.append(name).append(R"(","type":"reasoning","status":")").append(status);
  return out.append(R"(","summary":[],"content":[)").append(content).append("]}");
}

std::string call_item(std::string_view name, std::string_view status, const ToolCall& call,
                      std::string_view arguments) {
  std::string out = R"({"id":")";
  out.append(name).append(R"(","type":"function_call","status":")").append(status);
  out += R"(","call_id":)";
  append_json_string(out, call.call_id);
  out += R"(,"name":)";
  append_json_string(out, call.name);
  out += R"(,"arguments":)";
  append_json_string(out, arguments);
  return out += '}';
}

}  // namespace millrace::openai
