#include "shared/runtime/json_text.h"
#include "workers/pool/tell.h"

namespace millrace {

std::string encode_result(const Job& job, const Outcome& outcome, WallTime ended_at) {
  std::string out;
  out.reserve(384 + outcome.text.size());
  const auto text = [&out](std::string_view key, std::string_view value) {
    out.append(key);
    append_json_string(out, value);
  };
  text(R"({"id":)", job.id.str());
  text(R"(,"status":)", to_string(outcome.state));
  text(R"(,"kind":)", job.kind);
  text(R"(,"tenant":)", job.tenant);
  if (job.session.empty()) {
    out += R"(,"session":null)";
  } else {
    text(R"(,"session":)", job.session);
  }
  text(R"(,"result":{"text":)", outcome.text);
  text(R"(,"finish_reason":)", outcome.finish_reason);
  text(R"(,"model":)", outcome.model);
  if (!outcome.tool_calls.empty()) {
    out += R"(,"tool_calls":)";
    append_tool_calls(out, outcome.tool_calls);
  }
  append_members(out, outcome.asides);
  out.append(R"(},"usage":)").append(outcome.usage.empty() ? "null" : outcome.usage);
  if (outcome.state == JobState::failed) {
    text(R"(,"error":{"code":)", outcome.error_code);
    text(R"(,"message":)", outcome.error_message);
    out += outcome.retryable ? R"(,"retryable":true})" : R"(,"retryable":false})";
  } else {
    out += R"(,"error":null)";
  }
  text(R"(,"ended_at":)", to_rfc3339(ended_at));
  out += '}';
  return out;
}

}  // namespace millrace
