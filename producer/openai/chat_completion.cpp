#include "producer/openai/chat_completion.h"

#include <algorithm>
#include <array>
#include <utility>

#include "shared/runtime/json_text.h"

namespace millrace::openai {

std::string completion_id(const JobId& id) {
  std::string name = "chatcmpl-";
  id.append_to(name);
  return name;
}

std::uint64_t created_s(WallTime created_at) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(created_at);
  return static_cast<std::uint64_t>(seconds.time_since_epoch().count());
}

std::string_view finish_reason(std::string_view word) {
  using Said = std::pair<std::string_view, std::string_view>;
  constexpr std::array meant{
      Said{"stop", "stop"},
      Said{"length", "length"},
      Said{"tool_calls", "tool_calls"},
      Said{"content_filter", "content_filter"},
      // Servers that translate another API say its words.
      Said{"max_tokens", "length"},
      Said{"model_length", "length"},
      Said{"MAX_TOKENS", "length"},
      Said{"tool_use", "tool_calls"},
      Said{"function_call", "tool_calls"},
      Said{"safety", "content_filter"},
      Said{"SAFETY", "content_filter"},
      Said{"refusal", "content_filter"},
  };
  const auto found = std::ranges::find(meant, word, &Said::first);
  return found == meant.end() ? "stop" : found->second;
}

void append_call(std::string& out, const ToolCall& call) {
  out += R"("id":)";
  append_json_string(out, call.call_id);
  out += R"(,"type":"function","function":{"name":)";
  append_json_string(out, call.name);
  out += R"(,"arguments":)";
  append_json_string(out, call.arguments);
  out += '}';
}

std::string completion_json(const JobId& id, WallTime created_at, const Outcome& outcome) {
  std::string out;
  out.reserve(384 + outcome.text.size());
  out += R"({"id":)";
  append_json_string(out, completion_id(id));
  out += R"(,"object":"chat.completion","created":)";
  append_number(out, created_s(created_at));
  out += R"(,"model":)";
  append_json_string(out, outcome.model);
  out += R"(,"choices":[{"index":0,"message":{"role":"assistant","content":)";
  const bool instead = !outcome.tool_calls.empty() || !outcome.asides.refusal.empty();
  if (outcome.text.empty() && instead)
    out += "null";
  else
    append_json_string(out, outcome.text);
  out += R"(,"refusal":)";
  if (outcome.asides.refusal.empty())
    out += "null";
  else
    append_json_string(out, outcome.asides.refusal);
  if (!outcome.asides.reasoning.empty()) {
    out += R"(,"reasoning_content":)";
    append_json_string(out, outcome.asides.reasoning);
  }
  if (!outcome.tool_calls.empty()) {
    out += R"(,"tool_calls":[)";
    for (const auto& call : outcome.tool_calls) {
      out += out.back() == '[' ? "{" : ",{";
      append_call(out, call);
      out += '}';
    }
    out += ']';
  }
  out.append(R"(},"logprobs":null,"finish_reason":")").append(finish_reason(outcome.finish_reason));
  out += R"("}])";
  if (!outcome.usage.empty()) out.append(R"(,"usage":)").append(outcome.usage);
  return out += '}';
}

}  // namespace millrace::openai
