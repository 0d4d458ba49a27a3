#include "producer/openai/response_request.h"

#include <simdjson.h>

#include <array>

#include "producer/ingress/json_body.h"
#include "producer/ingress/limits.h"
#include "producer/ingress/refusal.h"
#include "producer/openai/fields.h"
#include "producer/openai/tools.h"
#include "shared/contract/any_json.h"
#include "shared/runtime/json_text.h"

namespace millrace::openai {
namespace {

namespace dom = simdjson::dom;

/// Of JSON, in the envelope beside the rest.
constexpr std::size_t shown_bytes_max = 256 * 1024;
constexpr std::int64_t tool_calls_max = 1'000'000;

/// What is shown again as it was written stands beside the request.
struct ResponseDraft : Draft {
  explicit ResponseDraft(ResponseRequest& of) : Draft(of), request(of) {}
  ResponseRequest& request;
  bool has_input = false;
  bool input_given = false;  ///< it is a list with something in it
  bool stream_options = false;
  std::string tools;              ///< as the messages' API has them; empty: none
  std::string tool_choice;        ///< the same
  bool only_with_tools = false;   ///< the choice means nothing without them
  std::string parallel = "true";  ///< tool calls
  bool parallel_said = false;
  std::string shown_tools = "[]";
  std::string shown_choice = R"("auto")";
  std::string shown_text = R"({"format":{"type":"text"}})";
  std::string shown_reasoning = R"({"effort":null,"summary":null})";
  std::string top_p = "null";
  std::string service_tier = R"("default")";
  std::string others;  ///< that are shown only where they were given
};

// --- what this program itself has to know

Fault read_input(ResponseDraft& draft, dom::element value) {
  draft.has_input = true;
  dom::array given;
  draft.input_given = !value.get(given) && given.begin() != given.end();
  if (auto fault = check_once(draft, value)) return fault;
  auto items = read_input_items(value);
  if (!items) return std::move(items.error());
  draft.request.input = std::move(*items);
  return {};
}

Fault read_instructions(ResponseDraft& draft, dom::element value) {
  std::string_view text;
  if (value.get(text)) return draft.invalid("must be a string.");
  draft.request.instructions = text;
  return {};
}

Fault read_previous(ResponseDraft& draft, dom::element value) {
  std::string_view text;
  if (value.get(text) || text.empty())
    return draft.invalid("must be the id of an earlier response.");
  draft.request.previous = text;
  return {};
}

Fault read_background(ResponseDraft& draft, dom::element value) {
  return read_flag(draft, value, draft.request.background);
}

Fault read_store(ResponseDraft& draft, dom::element value) {
  return read_flag(draft, value, draft.request.store);
}

Fault read_stream_options(ResponseDraft& draft, dom::element value) {
  draft.stream_options = true;
  dom::object options;
  if (value.get(options)) return draft.invalid("must be an object.");
  for (const auto [name, option] : options) {
    bool flag = false;
    if (name != "include_obfuscation")
      return make_problem(
          "unknown_field", "stream_options." + std::string(cut_utf8(name, 100)),
          "The option " + quoted(name) + R"( is not known; allowed is "include_obfuscation".)");
    if (!option.is_null() && option.get(flag)) return draft.invalid(name, "must be true or false.");
  }
  return {};
}

constexpr std::array<std::string_view, 9> include_words{"reasoning.encrypted_content",
                                                        "message.output_text.logprobs",
                                                        "message.input_image.image_url",
                                                        "file_search_call.results",
                                                        "web_search_call.results",
                                                        "web_search_call.action.sources",
                                                        "code_interpreter_call.outputs",
                                                        "computer_call_output.output.image_url",
                                                        "mcp_call.output"};

std::string named(Words words) {
  std::string out;
  for (const auto word : words) out.append(out.empty() ? "" : ", ").append(word);
  return out;
}

/// What it could add belongs to tools that are not served here, or is nothing this program has;
/// only logprobs would be missed.
Fault read_include(ResponseDraft& draft, dom::element value) {
  dom::array list;
  if (value.get(list)) return draft.invalid("must be a list of strings.");
  for (const auto item : list) {
    std::string_view what;
    if (item.get(what)) return draft.invalid("must be a list of strings.");
    if (std::ranges::find(include_words, what) == include_words.end())
      return draft.invalid(quoted(what) + " is not known; allowed are " + named(include_words) +
                           ".");
    if (what == "message.output_text.logprobs")
      return draft.not_supported(
          "\"message.output_text.logprobs\" is not supported; leave it out.");
  }
  return {};
}

Fault read_truncation(ResponseDraft& draft, dom::element value) {
  std::string_view word;
  if (!value.get(word) && word == "disabled") return {};
  return draft.not_supported("must be \"disabled\": nothing of the input is left out.");
}

// --- what goes on to the model's server, by its name there

Fault read_effort(ResponseDraft& draft, dom::element value) {
  if (auto fault = check_word(draft, "effort", value, effort_words)) return fault;
  draft.pass_as("reasoning_effort", simdjson::minify(value));
  return {};
}

/// Nobody here makes a summary of its own: `auto` is what there is, the reasoning as the model's
/// server tells it.
Fault check_summary(const Draft& draft, std::string_view name, dom::element value) {
  constexpr std::array<std::string_view, 3> words{"auto", "concise", "detailed"};
  if (auto fault = check_word(draft, name, value, words)) return fault;
  std::string_view word;
  if (value.get(word) || word == "auto") return {};
  return make_problem("not_supported", "reasoning." + std::string(name),
                      "`" + std::string(name) + "` " + quoted(word) +
                          " is not supported: reasoning comes as the model's server tells it. Use "
                          "\"auto\" or leave it out.");
}

Fault read_reasoning(ResponseDraft& draft, dom::element value) {
  dom::object reasoning;
  if (value.get(reasoning)) return draft.invalid("must be an object.");
  std::string effort = "null";
  for (const auto [name, member] : reasoning) {
    const bool summary = name == "summary" || name == "generate_summary";
    if (!summary && name != "effort")
      return draft.invalid(cut_utf8(name, 100),
                           R"(is not known; allowed are "effort" and "summary".)");
    if (member.is_null()) continue;
    if (summary) {
      if (auto fault = check_summary(draft, name, member)) return fault;
      continue;
    }
    if (auto fault = read_effort(draft, member)) return fault;
    effort = simdjson::minify(member);
  }
  draft.shown_reasoning = R"({"effort":)" + effort + R"(,"summary":null})";
  return check_once(draft, value);
}

Fault read_text_options(ResponseDraft& draft, dom::element value) {
  dom::object text;
  if (value.get(text)) return draft.invalid("must be an object.");
  if (auto fault = check_once(draft, value)) return fault;
  RawMembers raw(draft.raw);
  std::string shown_format = R"({"type":"text"})";
  std::string verbosity;
  for (const auto [name, member] : text) {
    const auto written = raw.next();
    if (name != "format" && name != "verbosity")
      return draft.invalid(cut_utf8(name, 100),
                           R"(is not known; allowed are "format" and "verbosity".)");
    if (member.is_null()) continue;
    if (name == "verbosity") {
      if (auto fault = check_word(draft, name, member, verbosity_words)) return fault;
      verbosity = simdjson::minify(member);
      draft.pass_as("verbosity", verbosity);
      continue;
    }
    auto format = chat_response_format(member, written);
    if (!format) return std::move(format.error());
    if (*format != R"({"type":"text"})") draft.pass_as("response_format", *format);
    shown_format = one_line(written);
  }
  draft.shown_text = R"({"format":)" + shown_format;
  if (!verbosity.empty()) draft.shown_text += R"(,"verbosity":)" + verbosity;
  draft.shown_text += '}';
  return {};
}

Fault read_tools(ResponseDraft& draft, dom::element value) {
  auto tools = chat_tools(value, draft.raw);
  if (!tools) return std::move(tools.error());
  if (auto fault = check_once(draft, value)) return fault;
  if (*tools == "[]") return {};
  draft.tools = std::move(*tools);
  draft.shown_tools = one_line(draft.raw);
  return {};
}

Fault read_tool_choice(ResponseDraft& draft, dom::element value) {
  auto choice = chat_tool_choice(value, draft.raw);
  if (!choice) return std::move(choice.error());
  if (auto fault = check_once(draft, value)) return fault;
  draft.only_with_tools = *choice != R"("auto")" && *choice != R"("none")";
  draft.tool_choice = std::move(*choice);
  draft.shown_choice = one_line(draft.raw);
  return {};
}

Fault read_parallel(ResponseDraft& draft, dom::element value) {
  bool flag = true;
  if (auto fault = read_flag(draft, value, flag)) return fault;
  draft.parallel = flag ? "true" : "false";
  draft.parallel_said = true;
  return {};
}

Fault read_top_p(ResponseDraft& draft, dom::element value) {
  draft.top_p = draft.raw;
  return pass_share(draft, value);
}

Fault read_service_tier(ResponseDraft& draft, dom::element value) {
  draft.service_tier = one_line(draft.raw);
  return pass_service_tier(draft, value);
}

/// Passed on, and shown.
Fault show_text(ResponseDraft& draft, dom::element value) {
  draft.others.append(",\"").append(draft.name).append("\":").append(one_line(draft.raw));
  return pass_text(draft, value);
}

Fault show_cache_retention(ResponseDraft& draft, dom::element value) {
  if (auto fault = check_word(draft, draft.name, value, cache_retention_words)) return fault;
  return show_text(draft, value);
}

/// Tools that are not served here are what it would count.
Fault read_tool_call_limit(ResponseDraft& draft, dom::element value) {
  const auto count = whole_number(value).value_or(0);
  if (count < 1 || count > tool_calls_max)
    return draft.invalid("must be a whole number from 1 to 1000000.");
  draft.others += R"(,"max_tool_calls":)";
  append_number(draft.others, static_cast<std::uint64_t>(count));
  return {};
}

using ResponseField = Field<ResponseDraft>;
constexpr std::array fields{
    ResponseField{"input", read_input},
    ResponseField{"model", read_model},
    ResponseField{"instructions", read_instructions},
    ResponseField{"stream", read_stream},
    ResponseField{"store", read_store},
    ResponseField{"previous_response_id", read_previous},
    ResponseField{"background", read_background},
    ResponseField{"tools", read_tools},
    ResponseField{"tool_choice", read_tool_choice},
    ResponseField{"parallel_tool_calls", read_parallel},
    ResponseField{"max_output_tokens", read_limit},
    ResponseField{"temperature", read_temperature},
    ResponseField{"top_p", read_top_p},
    ResponseField{"text", read_text_options},
    ResponseField{"reasoning", read_reasoning},
    ResponseField{"metadata", read_metadata},
    ResponseField{"include", read_include},
    ResponseField{"stream_options", read_stream_options},
    ResponseField{"truncation", read_truncation},
    ResponseField{"user", show_text},
    ResponseField{"safety_identifier", show_text},
    ResponseField{"prompt_cache_key", show_text},
    ResponseField{"prompt_cache_retention", show_cache_retention},
    ResponseField{"service_tier", read_service_tier},
    ResponseField{"max_tool_calls", read_tool_call_limit},
    ResponseField{"top_logprobs", only_zero},
    ResponseField{"conversation", never},
    ResponseField{"prompt", never},
    ResponseField{"context_management", never},
    ResponseField{"moderation", never},
};
static_assert(fields.size() <= 64, "a bit each");

void pass_tools(ResponseDraft& draft) {
  if (draft.tools.empty()) return;
  draft.pass_as("tools", draft.tools);
  if (!draft.tool_choice.empty()) draft.pass_as("tool_choice", draft.tool_choice);
  if (draft.parallel_said) draft.pass_as("parallel_tool_calls", draft.parallel);
}

void append_number_or_null(std::string& out, std::string_view name, const auto& number) {
  out.append(",\"").append(name).append("\":");
  if (number)
    append_number(out, *number);
  else
    out += "null";
}

std::string shown(const ResponseDraft& draft) {
  const ResponseRequest& request = draft.request;
  const Job& job = request.job;
  std::string out = R"({"background":)";
  out += request.background ? "true" : "false";
  out += R"(,"instructions":)";
  if (request.instructions)
    append_json_string(out, *request.instructions);
  else
    out += "null";
  std::optional<std::uint64_t> limit;
  if (job.max_tokens) limit = *job.max_tokens;
  append_number_or_null(out, "max_output_tokens", limit);
  out.append(R"(,"metadata":)").append(job.metadata.empty() ? "{}" : job.metadata);
  out.append(R"(,"parallel_tool_calls":)").append(draft.parallel);
  out += R"(,"previous_response_id":)";
  if (request.previous)
    append_json_string(out, *request.previous);
  else
    out += "null";
  out.append(R"(,"reasoning":)").append(draft.shown_reasoning);
  out.append(R"(,"service_tier":)").append(draft.service_tier);
  out.append(R"(,"store":)").append(request.store ? "true" : "false");
  append_number_or_null(out, "temperature", job.temperature);
  out.append(R"(,"text":)").append(draft.shown_text);
  out.append(R"(,"tool_choice":)").append(draft.shown_choice);
  out.append(R"(,"tools":)").append(draft.shown_tools);
  out.append(R"(,"top_p":)").append(draft.top_p);
  return out.append(R"(,"truncation":"disabled")").append(draft.others).append("}");
}

/// What no field can tell by itself.
Fault check_whole(ResponseDraft& draft) {
  const ResponseRequest& request = draft.request;
  if (!draft.has_input)
    return missing("input", "`input` is required: a string or a list of items.");
  draft.name = "input";
  if (request.input.empty() && !request.previous && draft.input_given)
    return draft.invalid(
        "holds nothing but `reasoning` items, which are not given to the model; at least one "
        "message is required.");
  if (request.input.empty() && !request.previous)
    return draft.invalid("is an empty list; at least one item is required.");
  if (request.job.model.empty())
    return missing("model", "`model` is required; GET /v1/models lists what is served.");
  draft.name = "stream_options";
  if (draft.stream_options && !request.stream)
    return draft.invalid("is allowed only when `stream` is true.");
  draft.name = "tool_choice";
  if (draft.only_with_tools && draft.tools.empty())
    return draft.invalid("asks for a call, which needs `tools`.");
  draft.name = "background";
  if (request.background && !request.store)
    return draft.invalid("needs `store`: what is not kept cannot be asked for later.");
  if (auto fault = check_params(request.job)) return fault;
  if (request.job.request.size() <= shown_bytes_max) return {};
  return make_problem("too_large", request.instructions ? "instructions" : "tools",
                      "`instructions`, `tools` and what else is shown with the response have " +
                          std::to_string(request.job.request.size()) +
                          " bytes of JSON; at most 262144 (256 KiB) are allowed.");
}

}  // namespace

std::expected<ResponseRequest, Problem> parse_response_request(std::string_view body,
                                                               WallTime now) {
  JsonBody json(body);
  const auto object = json.object(" with `model` and `input`");
  if (!object) return std::unexpected(object.error());
  ResponseRequest request;
  ResponseDraft draft(request);
  if (auto fault = read_fields<ResponseDraft>(fields, draft, *object, json.text()))
    return std::unexpected(std::move(*fault));
  Job& job = request.job;
  pass_tools(draft);
  if (!job.params.empty()) job.params += '}';
  job.request = shown(draft);
  job.kept = request.store;
  if (auto fault = check_whole(draft)) return std::unexpected(std::move(*fault));
  job.server_defaults = true;
  job.created_at = now;
  job.deadline = now + limits::deadline_default;
  return request;
}

void give_input(ResponseRequest& request, std::string_view context) {
  std::string& input = request.job.input;
  input = "[";
  if (request.instructions) {
    input += R"({"role":"system","content":)";
    append_json_string(input, *request.instructions);
    input += '}';
  }
  const std::string own = messages_json(request.input);
  for (const std::string_view messages : {context, std::string_view(own)}) {
    if (messages.empty()) continue;
    if (input.size() > 1) input += ',';
    input += messages;
  }
  input += ']';
  InputItems().swap(request.input);
}

std::size_t instruction_messages(const Job& job) {
  dom::parser parser;
  dom::element shown;
  std::string_view instructions;
  if (parse_any_json(parser, job.request, shown)) return 0;
  return shown["instructions"].get(instructions) ? 0 : 1;
}

}  // namespace millrace::openai
