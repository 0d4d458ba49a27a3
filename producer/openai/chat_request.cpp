#include "producer/openai/chat_request.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <optional>

#include "producer/ingress/json_body.h"
#include "producer/ingress/limits.h"
#include "producer/ingress/message_list.h"
#include "producer/ingress/refusal.h"
#include "producer/openai/fields.h"
#include "producer/openai/messages.h"
#include "producer/openai/tools.h"
#include "shared/contract/raw_members.h"
#include "shared/runtime/json_text.h"

namespace millrace::openai {
namespace {

namespace dom = simdjson::dom;

/// What can only be judged at the end stands beside the request.
struct ChatDraft : Draft {
  explicit ChatDraft(ChatRequest& of) : Draft(of), request(of) {}
  ChatRequest& request;
  bool stream_options = false;
  bool tools = false;
  std::string needs_tools;  ///< a field that means nothing without them
};

// --- what this program itself has to know

Fault read_messages(ChatDraft& draft, dom::element value) {
  if (auto fault = check_messages(value)) return fault;
  if (auto fault = check_once(draft, value)) return fault;
  const bool rewritten = draft.raw.size() > limits::input_bytes_max &&
                         draft.raw.size() <= ingress_limits::rewritten_input_bytes_max;
  draft.request.job.input = rewritten ? simdjson::minify(value) : one_line(draft.raw);
  return {};
}

Fault read_stream_options(ChatDraft& draft, dom::element value) {
  draft.stream_options = true;
  dom::object options;
  if (value.get(options)) return draft.invalid("must be an object.");
  for (const auto [name, option] : options) {
    bool flag = false;
    const bool known = name == "include_usage" || name == "include_obfuscation";
    if (!known)
      return make_problem(
          "unknown_field", "stream_options." + std::string(name),
          "The option " + quoted(name) + " is not known; allowed is \"include_usage\".");
    if (!option.is_null() && option.get(flag)) return draft.invalid(name, "must be true or false.");
    if (name == "include_usage") draft.request.include_usage = flag;
  }
  return {};
}

// --- what goes on to the model's server

Fault pass_penalty(Draft& draft, dom::element value) {
  double penalty = 0;
  if (value.get(penalty) || penalty < -2 || penalty > 2)
    return draft.invalid("must be a number from -2 to 2.");
  return draft.pass();
}

Fault pass_stop(Draft& draft, dom::element value) {
  dom::array list;
  if (value.is_string()) return draft.pass();
  const bool right = !value.get(list) && list.size() <= 4 &&
                     std::ranges::all_of(list, [](dom::element item) { return item.is_string(); });
  if (!right) return draft.invalid("must be a string or a list of at most 4 strings.");
  return list.size() == 0 ? Fault() : draft.pass();
}

Fault pass_tools(ChatDraft& draft, dom::element value) {
  if (auto fault = check_tools(value)) return fault;
  if (auto fault = check_once(draft, value)) return fault;
  if (value.get_array().size() == 0) return {};
  draft.tools = true;
  return draft.pass();
}

Fault pass_tool_choice(ChatDraft& draft, dom::element value) {
  if (auto fault = check_tool_choice(value)) return fault;
  draft.needs_tools = draft.name;
  return draft.pass();
}

Fault pass_response_format(Draft& draft, dom::element value) {
  if (auto fault = check_response_format(value)) return fault;
  return draft.pass();
}

// --- what changes no answer, and what cannot be served

Fault only_one(Draft& draft, dom::element value) {
  if (whole_number(value) == 1) return {};
  return draft.not_supported("must be 1: a request has one answer. Send several requests.");
}

Fault only_text(Draft& draft, dom::element value) {
  dom::array kinds;
  const auto is_text = [](dom::element kind) {
    std::string_view word;
    return !kind.get(word) && word == "text";
  };
  if (!value.get(kinds) && kinds.size() > 0 && std::ranges::all_of(kinds, is_text)) return {};
  return draft.not_supported(R"(must be ["text"]: answers are text.)");
}

Fault replaced_by_tools(Draft& draft, dom::element) {
  return draft.not_supported("is not supported; send `tools` and `tool_choice`.");
}

// The most common first: a body is matched against them in order.
using ChatField = Field<ChatDraft>;
constexpr std::array fields{
    ChatField{"messages", read_messages},
    ChatField{"model", read_model},
    ChatField{"stream", read_stream},
    ChatField{"stream_options", read_stream_options},
    ChatField{"max_tokens", read_limit},
    ChatField{"max_completion_tokens", read_limit},
    ChatField{"temperature", read_temperature},
    ChatField{"tools", pass_tools},
    ChatField{"tool_choice", pass_tool_choice},
    ChatField{"parallel_tool_calls", pass_flag},
    ChatField{"response_format", pass_response_format},
    ChatField{"top_p", pass_share},
    ChatField{"stop", pass_stop},
    ChatField{"seed", pass_whole_number},
    ChatField{"frequency_penalty", pass_penalty},
    ChatField{"presence_penalty", pass_penalty},
    ChatField{"logit_bias", pass_object},
    ChatField{"user", pass_text},
    ChatField{"reasoning_effort", pass_effort},
    ChatField{"verbosity", pass_verbosity},
    ChatField{"service_tier", pass_service_tier},
    ChatField{"safety_identifier", pass_text},
    ChatField{"prompt_cache_key", pass_text},
    ChatField{"prompt_cache_retention", pass_cache_retention},
    // What open servers (vLLM, llama.cpp, SGLang, OpenRouter) take beyond OpenAI's own.
    ChatField{"top_k", pass_whole_number},
    ChatField{"min_p", pass_share},
    ChatField{"repetition_penalty", pass_number},
    ChatField{"min_tokens", pass_whole_number},
    ChatField{"ignore_eos", pass_flag},
    ChatField{"chat_template_kwargs", pass_object},
    ChatField{"structured_outputs", pass_object},
    ChatField{"reasoning", pass_object},
    ChatField{"provider", pass_as_is},
    ChatField{"metadata", read_metadata},
    ChatField{"store", ignore},
    ChatField{"n", only_one},
    ChatField{"logprobs", only_false},
    ChatField{"top_logprobs", only_zero},
    ChatField{"modalities", only_text},
    ChatField{"audio", never},
    ChatField{"prediction", never},
    ChatField{"web_search_options", never},
    ChatField{"functions", replaced_by_tools},
    ChatField{"function_call", replaced_by_tools},
};
static_assert(fields.size() <= 64, "a bit each");

/// What no field can tell by itself.
Fault check_whole(ChatDraft& draft) {
  const ChatRequest& request = draft.request;
  if (request.job.input.empty())
    return missing("messages", "`messages` is required: a list of {role, content}.");
  if (request.job.model.empty())
    return missing("model", "`model` is required; GET /v1/models lists what is served.");
  draft.name = "stream_options";
  if (draft.stream_options && !request.stream)
    return draft.invalid("is allowed only when `stream` is true.");
  draft.name = draft.needs_tools;
  if (!draft.tools && !draft.needs_tools.empty())
    return draft.invalid("is allowed only when `tools` are given.");
  return check_params(request.job);
}

}  // namespace

std::expected<ChatRequest, Problem> parse_chat_request(std::string_view body, WallTime now) {
  JsonBody json(body);
  const auto object = json.object(" with `model` and `messages`");
  if (!object) return std::unexpected(object.error());
  ChatRequest request;
  ChatDraft draft(request);
  if (auto fault = read_fields<ChatDraft>(fields, draft, *object, json.text()))
    return std::unexpected(std::move(*fault));
  Job& job = request.job;
  if (!job.params.empty()) job.params += '}';
  if (auto fault = check_whole(draft)) return std::unexpected(std::move(*fault));
  job.server_defaults = true;
  job.created_at = now;
  job.deadline = now + limits::deadline_default;
  return request;
}

}  // namespace millrace::openai
