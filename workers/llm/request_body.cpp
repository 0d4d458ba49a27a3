#include "workers/llm/request_body.h"

#include <simdjson.h>

#include "shared/runtime/json_text.h"

namespace millrace {
namespace {

namespace dom = simdjson::dom;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const auto begin = text.find_first_not_of(space);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(space) - begin + 1);
}

void append_assistant(std::string& out, std::string_view text, std::string_view more) {
  out += R"({"role":"assistant","content":")";
  append_json_escaped(out, text);
  append_json_escaped(out, more);
  out += R"("})";
}

/// The content of a trailing assistant message of the job's own: the prefix belongs to it.
bool trailing_assistant(const dom::array& messages, std::string_view& content) {
  dom::element last;
  std::string_view role;
  if (messages.size() == 0 || messages.at(messages.size() - 1).get(last)) return false;
  return !last["role"].get(role) && role == "assistant" && !last["content"].get(content);
}

/// Adds the prefix to the list of messages that ends `out`'s `"messages":`.
void append_list_with_prefix(std::string& out, std::string_view list, std::string_view prefix) {
  dom::parser parser;
  dom::array messages;
  std::string_view content;
  const bool own = !parser.parse(list.data(), list.size()).get(messages) &&
                   trailing_assistant(messages, content);
  if (!own) {
    const std::string_view inside = trimmed(list.substr(1, list.size() - 2));
    out.append("[").append(inside);
    if (!inside.empty()) out += ',';
    append_assistant(out, prefix, {});
    out += ']';
    return;
  }
  out += '[';
  for (std::size_t i = 0; i + 1 < messages.size(); ++i)
    out.append(simdjson::minify(messages.at(i))).append(",");
  append_assistant(out, content, prefix);
  out += ']';
}

void append_messages(std::string& out, const ChatTurn& turn) {
  const std::string_view input = trimmed(turn.job.input);
  if (!input.starts_with('[')) {
    out.append(R"([{"role":"user","content":)").append(input).append("}");
    if (!turn.prefix.empty()) {
      out += ',';
      append_assistant(out, turn.prefix, {});
    }
    out += ']';
  } else if (turn.prefix.empty()) {
    out += input;
  } else {
    append_list_with_prefix(out, input, turn.prefix);
  }
}

/// How many tokens are left of those that the job may have.
void append_limit(std::string& out, const ChatTurn& turn, const ModelDefaults& defaults) {
  const Job& job = turn.job;
  if (!job.max_tokens && job.server_defaults) return;
  const std::uint32_t asked = job.max_tokens.value_or(defaults.max_tokens);
  const std::uint32_t left = asked > turn.prefix_pieces ? asked - turn.prefix_pieces : 1;
  out += job.max_completion_tokens ? R"(,"max_completion_tokens":)" : R"(,"max_tokens":)";
  append_number(out, std::uint64_t{left});
}

/// What stands in an object, behind other members; nothing of an empty one.
void append_members(std::string& out, std::string_view object) {
  object = trimmed(object);
  if (object.size() <= 2) return;
  const std::string_view members = trimmed(object.substr(1, object.size() - 2));
  if (!members.empty()) out.append(",").append(members);
}

}  // namespace

std::string chat_request(const ChatTurn& turn, const ModelDefaults& defaults) {
  std::string out;
  out.reserve(192 + turn.job.input.size() + turn.job.params.size() + turn.prefix.size());
  out += R"({"model":)";
  append_json_string(out, turn.job.model.empty() ? defaults.model : turn.job.model);
  out += R"(,"messages":)";
  append_messages(out, turn);
  out += R"(,"stream":true,"stream_options":{"include_usage":true})";
  append_limit(out, turn, defaults);
  if (turn.job.temperature || !turn.job.server_defaults) {
    out += R"(,"temperature":)";
    append_number(out, turn.job.temperature.value_or(defaults.temperature));
  }
  append_members(out, turn.job.params);
  if (!turn.prefix.empty()) append_members(out, defaults.prefill_body);
  out += '}';
  return out;
}

std::string completions_url(std::string_view base) {
  while (base.ends_with('/')) base.remove_suffix(1);
  std::string url(base);
  if (!base.ends_with("/v1")) url += "/v1";
  return url + "/chat/completions";
}

std::string prefill_body_fault(std::string_view json) {
  if (json.empty()) return {};
  dom::parser parser;
  dom::object object;
  if (parser.parse(json.data(), json.size()).get(object)) return "it must be a JSON object";
  return {};
}

}  // namespace millrace
