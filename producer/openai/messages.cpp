#include "producer/openai/messages.h"

#include <algorithm>
#include <array>
#include <string>

#include "producer/openai/faults.h"

namespace millrace::openai {
namespace {

namespace dom = simdjson::dom;

bool is_text(std::optional<dom::element> value) {
  return value && value->is_string();
}

/// A kind of content part, the member that has the content, and whether that is an object.
struct PartKind {
  std::string_view type;
  std::string_view member;
  bool object;
  bool user_only;
};
constexpr std::array part_kinds{
    PartKind{"text", "text", false, false},
    PartKind{"refusal", "refusal", false, false},
    PartKind{"image_url", "image_url", true, true},
    PartKind{"input_audio", "input_audio", true, true},
    PartKind{"file", "file", true, true},
};

Fault check_part(dom::element value, std::string_view role, const std::string& param) {
  dom::object part;
  if (value.get(part)) return invalid(param, "A content part must be an object with a `type`.");
  std::string_view type;
  if (part["type"].get(type)) return missing(param + ".type", "A content part needs a `type`.");
  const auto kind = std::ranges::find(part_kinds, type, &PartKind::type);
  if (kind == part_kinds.end())
    return invalid(param + ".type", "The type " + quoted(type) +
                                        " is not known; allowed are \"text\", \"image_url\", "
                                        "\"input_audio\", \"file\" and \"refusal\".");
  if (kind->user_only && role != "user")
    return invalid(param + ".type", "A part of the type " + quoted(type) +
                                        " is allowed in a message of the role \"user\" alone.");
  const auto content = member(part, kind->member);
  const bool right = content && (kind->object ? content->is_object() : content->is_string());
  if (right) return {};
  return invalid(
      param + "." + std::string(kind->member),
      "`" + std::string(kind->member) + "` must be " + (kind->object ? "an object." : "a string."));
}

Fault check_content(dom::element content, std::string_view role, const std::string& param) {
  if (content.is_string()) return {};
  dom::array parts;
  if (content.get(parts))
    return invalid(param, "`content` must be a string or a list of content parts.");
  if (parts.size() == 0) return invalid(param, "`content` is an empty list; send at least a part.");
  std::size_t index = 0;
  for (const auto part : parts) {
    if (auto fault = check_part(part, role, param + "[" + std::to_string(index++) + "]"))
      return fault;
  }
  return {};
}

Fault check_call(dom::element value, const std::string& param) {
  dom::object call;
  if (value.get(call)) return invalid(param, "A tool call must be an object.");
  if (!is_text(member(call, "id"))) return missing(param + ".id", "A tool call needs its `id`.");
  std::string_view type = "function";
  if (const auto given = member(call, "type"); given && given->get(type)) type = {};
  if (type != "function")
    return invalid(param + ".type", "The type of a tool call must be \"function\".");
  const auto function = member(call, "function");
  dom::object inside;
  if (!function || function->get(inside))
    return missing(param + ".function", "A tool call needs its `function`: {name, arguments}.");
  for (const char* name : {"name", "arguments"}) {
    if (!is_text(member(inside, name)))
      return invalid(param + ".function." + name,
                     std::string("`") + name + "` must be a string, as the model gave it.");
  }
  return {};
}

Fault check_calls(dom::element value, const std::string& param) {
  dom::array calls;
  if (value.get(calls) || calls.size() == 0)
    return invalid(param, "`tool_calls` must be a list of at least one tool call.");
  std::size_t index = 0;
  for (const auto call : calls) {
    if (auto fault = check_call(call, param + "[" + std::to_string(index++) + "]")) return fault;
  }
  return {};
}

/// What an assistant's message may have beside its content.
Fault check_assistant(dom::object message, const std::string& param) {
  for (const std::string_view name : {"function_call", "audio"}) {
    if (member(message, name))
      return make_problem("not_supported", param + "." + std::string(name),
                          "`" + std::string(name) + "` is not supported" +
                              (name == "audio" ? "; leave it out." : "; send `tool_calls`."));
  }
  const auto calls = member(message, "tool_calls");
  if (calls) return check_calls(*calls, param + ".tool_calls");
  const bool says = member(message, "content") || member(message, "refusal");
  if (says) return {};
  return missing(param + ".content", "`content` is missing; without it `tool_calls` is needed.");
}

Fault check_message(dom::element value, const std::string& param) {
  dom::object message;
  if (value.get(message)) return invalid(param, "A message must be an object {role, content}.");
  const auto given = member(message, "role");
  std::string_view role;
  if (!given) return missing(param + ".role", "`role` is missing.");
  constexpr std::array<std::string_view, 5> roles{"system", "developer", "user", "assistant",
                                                  "tool"};
  if (given->get(role) || std::ranges::find(roles, role) == roles.end())
    return invalid(param + ".role",
                   "`role` " + (given->is_string() ? "is " + quoted(role) : "is no string") +
                       "; allowed are \"system\", \"developer\", \"user\", \"assistant\" and "
                       "\"tool\".");
  const auto content = member(message, "content");
  if (content) {
    if (auto fault = check_content(*content, role, param + ".content")) return fault;
  } else if (role != "assistant") {
    return missing(param + ".content", "`content` is missing.");
  }
  if (role == "assistant") return check_assistant(message, param);
  if (role == "tool" && !is_text(member(message, "tool_call_id")))
    return missing(param + ".tool_call_id",
                   "`tool_call_id` is missing: which call this is the answer to.");
  return {};
}

}  // namespace

std::optional<Problem> check_messages(dom::element value) {
  dom::array messages;
  if (value.get(messages)) return invalid("messages", "`messages` must be a list of messages.");
  std::size_t index = 0;
  for (const auto message : messages) {
    if (auto fault = check_message(message, "messages[" + std::to_string(index++) + "]"))
      return fault;
  }
  if (index > 0) return {};
  return invalid("messages", "`messages` is an empty list; at least one message is required.");
}

}  // namespace millrace::openai
