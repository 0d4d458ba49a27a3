#include "producer/openai/chat_request.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <optional>

#include "producer/ingress/json_body.h"
#include "producer/ingress/limits.h"
#include "producer/ingress/message_list.h"
#include "producer/ingress/refusal.h"
#include "producer/openai/error_shape.h"
#include "producer/openai/messages.h"
#include "producer/openai/tools.h"
#include "shared/contract/raw_members.h"
#include "shared/runtime/json_text.h"

namespace millrace::openai {
namespace {

namespace dom = simdjson::dom;
using Fault = std::optional<Problem>;

/// What is being read: the request so far, and what can only be judged at the end.
struct Draft {
  ChatRequest request;
  std::string_view name;  ///< of the field at hand
  std::string_view raw;   ///< its value as it was written
  bool limited = false;   ///< a limit of tokens was given
  bool stream_options = false;
  bool tools = false;
  std::string needs_tools;  ///< a field that means nothing without them

  Fault invalid(std::string_view detail) const {
    return make_problem("invalid_field", std::string(name),
                        "`" + std::string(name) + "` " + std::string(detail));
  }
  Fault invalid(std::string_view below, std::string_view detail) const {
    return make_problem("invalid_field", std::string(name) + "." + std::string(below),
                        "`" + std::string(below) + "` " + std::string(detail));
  }
  Fault not_supported(std::string_view detail) const {
    return make_problem("not_supported", std::string(name),
                        "`" + std::string(name) + "` " + std::string(detail));
  }
  /// The field goes to the model's server as it was written.
  Fault pass() {
    std::string& params = request.job.params;
    params += params.empty() ? '{' : ',';
    append_json_string(params, name);
    params.append(":").append(one_line(raw));
    return {};
  }
};

/// Readers of JSON differ about which of two members of one name counts: no guess is passed on.
Fault check_once(const Draft& draft, dom::element value) {
  const auto twice = duplicate_member(value);
  if (!twice) return {};
  return make_problem(
      "duplicate_field", param_of("/" + std::string(draft.name) + *twice),
      "A member of `" + std::string(draft.name) + "` is given twice; give each name once.");
}

// --- what this program itself has to know

Fault read_messages(Draft& draft, dom::element value) {
  if (auto fault = check_messages(value)) return fault;
  if (auto fault = check_once(draft, value)) return fault;
  const bool rewritten = draft.raw.size() > limits::input_bytes_max &&
                         draft.raw.size() <= ingress_limits::rewritten_input_bytes_max;
  draft.request.job.input = rewritten ? simdjson::minify(value) : one_line(draft.raw);
  return {};
}

Fault read_model(Draft& draft, dom::element value) {
  std::string_view model;
  const auto control = [](char c) { return static_cast<std::uint8_t>(c) < 0x20 || c == 0x7f; };
  if (value.get(model) || model.empty() || model.size() > limits::name_bytes_max ||
      std::ranges::any_of(model, control))
    return draft.invalid("must be a string of 1 to 200 bytes without control characters.");
  draft.request.job.model = model;
  return {};
}

Fault read_flag(Draft& draft, dom::element value, bool& into) {
  if (value.get(into)) return draft.invalid("must be true or false.");
  return {};
}

Fault read_stream(Draft& draft, dom::element value) {
  return read_flag(draft, value, draft.request.stream);
}

Fault read_stream_options(Draft& draft, dom::element value) {
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

Fault read_limit(Draft& draft, dom::element value) {
  std::uint64_t count = 0;
  if (value.get(count) || count < 1 || count > ingress_limits::max_tokens_max)
    return draft.invalid(
        "must be a whole number from 1 to 131072; leave it out for the model's own limit.");
  if (draft.limited)
    return draft.invalid("and the other limit of tokens must not be given both: send one.");
  draft.limited = true;
  Job& job = draft.request.job;
  job.max_tokens = static_cast<std::uint32_t>(count);
  job.max_completion_tokens = draft.name == "max_completion_tokens";
  return {};
}

Fault read_temperature(Draft& draft, dom::element value) {
  double temperature = 0;
  if (value.get(temperature) || temperature < 0 || temperature > ingress_limits::temperature_max)
    return draft.invalid("must be a number from 0 to 2.");
  draft.request.job.temperature = temperature;
  return {};
}

Fault read_on_leave(Draft& draft, dom::element value) {
  std::string_view word;
  const bool text = !value.get(word);
  if (!text || (word != "cancel" && word != "continue"))
    return draft.invalid("millrace_on_disconnect", R"(must be "cancel" or "continue".)");
  draft.request.on_leave = word == "cancel" ? OnLeave::cancel : OnLeave::go_on;
  return {};
}

Fault read_metadata(Draft& draft, dom::element value) {
  dom::object metadata;
  if (value.get(metadata)) return draft.invalid("must be an object of strings.");
  if (draft.raw.size() > limits::metadata_bytes_max)
    return make_problem("too_large", "metadata",
                        "`metadata` has more than 16384 bytes (16 KiB) of JSON.");
  for (const auto [name, member] : metadata) {
    if (name == "millrace_on_disconnect") {
      if (auto fault = read_on_leave(draft, member)) return fault;
    } else if (!member.is_string()) {
      return draft.invalid(name, "must be a string, as every member of `metadata`.");
    }
  }
  if (auto fault = check_once(draft, value)) return fault;
  draft.request.job.metadata = one_line(draft.raw);
  return {};
}

// --- what goes on to the model's server

Fault pass_as_is(Draft& draft, dom::element) {
  return draft.pass();
}

Fault pass_flag(Draft& draft, dom::element value) {
  bool flag = false;
  if (auto fault = read_flag(draft, value, flag)) return fault;
  return draft.pass();
}

Fault pass_text(Draft& draft, dom::element value) {
  if (!value.is_string()) return draft.invalid("must be a string.");
  return draft.pass();
}

Fault pass_object(Draft& draft, dom::element value) {
  if (!value.is_object()) return draft.invalid("must be an object.");
  return draft.pass();
}

Fault pass_whole_number(Draft& draft, dom::element value) {
  std::int64_t number = 0;
  std::uint64_t large = 0;
  if (value.get(number) && value.get(large)) return draft.invalid("must be a whole number.");
  return draft.pass();
}

Fault pass_number(Draft& draft, dom::element value) {
  if (!value.is_number()) return draft.invalid("must be a number.");
  return draft.pass();
}

Fault pass_share(Draft& draft, dom::element value) {
  double share = 0;
  if (value.get(share) || share < 0 || share > 1)
    return draft.invalid("must be a number from 0 to 1.");
  return draft.pass();
}

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

Fault pass_tools(Draft& draft, dom::element value) {
  if (auto fault = check_tools(value)) return fault;
  if (auto fault = check_once(draft, value)) return fault;
  if (value.get_array().size() == 0) return {};
  draft.tools = true;
  return draft.pass();
}

Fault pass_tool_choice(Draft& draft, dom::element value) {
  if (auto fault = check_tool_choice(value)) return fault;
  draft.needs_tools = draft.name;
  return draft.pass();
}

Fault pass_response_format(Draft& draft, dom::element value) {
  if (auto fault = check_response_format(value)) return fault;
  return draft.pass();
}

// --- what changes no answer, and what cannot be served

Fault ignore(Draft&, dom::element) {
  return {};
}

Fault only_one(Draft& draft, dom::element value) {
  std::int64_t count = 0;
  if (!value.get(count) && count == 1) return {};
  return draft.not_supported("must be 1: a request has one answer. Send several requests.");
}

Fault only_false(Draft& draft, dom::element value) {
  bool flag = true;
  if (!value.get(flag) && !flag) return {};
  return draft.not_supported("is not supported; leave it out.");
}

Fault only_zero(Draft& draft, dom::element value) {
  std::int64_t count = 1;
  if (!value.get(count) && count == 0) return {};
  return draft.not_supported("is not supported; leave it out.");
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

Fault never(Draft& draft, dom::element) {
  return draft.not_supported("is not supported; leave it out.");
}

Fault replaced_by_tools(Draft& draft, dom::element) {
  return draft.not_supported("is not supported; send `tools` and `tool_choice`.");
}

struct Field {
  std::string_view name;
  Fault (*read)(Draft&, dom::element);
};

// The most common first: a body is matched against them in order.
constexpr std::array fields{
    Field{"messages", read_messages},
    Field{"model", read_model},
    Field{"stream", read_stream},
    Field{"stream_options", read_stream_options},
    Field{"max_tokens", read_limit},
    Field{"max_completion_tokens", read_limit},
    Field{"temperature", read_temperature},
    Field{"tools", pass_tools},
    Field{"tool_choice", pass_tool_choice},
    Field{"parallel_tool_calls", pass_flag},
    Field{"response_format", pass_response_format},
    Field{"top_p", pass_share},
    Field{"stop", pass_stop},
    Field{"seed", pass_whole_number},
    Field{"frequency_penalty", pass_penalty},
    Field{"presence_penalty", pass_penalty},
    Field{"logit_bias", pass_object},
    Field{"user", pass_text},
    Field{"reasoning_effort", pass_text},
    Field{"verbosity", pass_text},
    Field{"service_tier", pass_text},
    Field{"safety_identifier", pass_text},
    Field{"prompt_cache_key", pass_text},
    Field{"prompt_cache_retention", pass_text},
    // What open servers (vLLM, llama.cpp, SGLang, OpenRouter) take beyond OpenAI's own.
    Field{"top_k", pass_whole_number},
    Field{"min_p", pass_share},
    Field{"repetition_penalty", pass_number},
    Field{"min_tokens", pass_whole_number},
    Field{"ignore_eos", pass_flag},
    Field{"chat_template_kwargs", pass_object},
    Field{"structured_outputs", pass_object},
    Field{"reasoning", pass_object},
    Field{"provider", pass_as_is},
    Field{"metadata", read_metadata},
    Field{"store", ignore},
    Field{"n", only_one},
    Field{"logprobs", only_false},
    Field{"top_logprobs", only_zero},
    Field{"modalities", only_text},
    Field{"audio", never},
    Field{"prediction", never},
    Field{"web_search_options", never},
    Field{"functions", replaced_by_tools},
    Field{"function_call", replaced_by_tools},
};
static_assert(fields.size() <= 64, "a bit each");

Problem unknown_field(std::string_view name) {
  return make_problem("unknown_field", std::string(cut_utf8(name, 100)),
                      "The field " + quoted(name) +
                          " is not known here, and so cannot be passed on. Leave it out, or set it "
                          "in the model's server.");
}

/// Reads each member by its field's reader, once.
Fault read_members(Draft& draft, dom::object object, std::string_view body) {
  RawMembers raw(body);
  std::uint64_t seen = 0;
  for (const auto [name, value] : object) {
    draft.raw = raw.next();
    const auto field = std::ranges::find(fields, name, &Field::name);
    if (field == fields.end()) return unknown_field(name);
    const auto bit = std::uint64_t{1} << (field - fields.begin());
    if (seen & bit) return given_twice(std::string(name), name);
    seen |= bit;
    draft.name = field->name;
    if (value.is_null()) continue;
    if (auto fault = field->read(draft, value)) return fault;
  }
  return {};
}

Fault missing(std::string_view name, std::string_view detail) {
  return make_problem("missing_field", std::string(name), std::string(detail));
}

/// What no field can tell by itself.
Fault check_whole(Draft& draft) {
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
  if (request.job.params.size() <= ingress_limits::params_bytes_max) return {};
  return make_problem("too_large", "tools",
                      "`tools` and what else goes to the model beside the messages have " +
                          std::to_string(request.job.params.size()) +
                          " bytes of JSON; at most 262144 (256 KiB) are allowed.");
}

}  // namespace

std::expected<ChatRequest, Problem> parse_chat_request(std::string_view body, WallTime now) {
  JsonBody json(body);
  const auto object = json.object(" with `model` and `messages`");
  if (!object) return std::unexpected(object.error());
  Draft draft;
  if (auto fault = read_members(draft, *object, json.text()))
    return std::unexpected(std::move(*fault));
  Job& job = draft.request.job;
  if (!job.params.empty()) job.params += '}';
  if (auto fault = check_whole(draft)) return std::unexpected(std::move(*fault));
  job.server_defaults = true;
  job.created_at = now;
  job.deadline = now + limits::deadline_default;
  return std::move(draft.request);
}

}  // namespace millrace::openai
