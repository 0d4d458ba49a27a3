#include "producer/ingress/message_list.h"

#include <algorithm>
#include <array>
#include <vector>

#include "producer/ingress/refusal.h"
#include "shared/runtime/json_text.h"

namespace millrace {
namespace {

namespace dom = simdjson::dom;
using Fault = std::optional<Problem>;

constexpr std::size_t pointer_step_bytes_max = 100;

constexpr std::array<std::string_view, 4> roles{"system", "developer", "user", "assistant"};

Fault invalid(std::string pointer, std::string detail) {
  return make_problem("invalid_field", std::move(pointer), std::move(detail));
}

Fault check_role(dom::element value, const std::string& pointer) {
  std::string_view role;
  const bool text = !value.get(role);
  if (text && std::ranges::find(roles, role) != roles.end()) return {};
  return invalid(pointer + "/role",
                 std::string("`role` ") + (text ? "is " + quoted(role) : "is no string") +
                     R"(; allowed: "system", "developer", "user", "assistant".)");
}

Fault check_content(dom::element value, const std::string& pointer) {
  std::string_view content;
  const bool text = !value.get(content);
  if (text && !content.empty()) return {};
  return invalid(pointer + "/content", text ? "`content` must not be empty; leave the message out."
                                            : "`content` must be a string.");
}

Fault check_message(dom::element value, std::size_t index) {
  // Built for every message: short enough for the string's own buffer.
  const std::string pointer = "/input/" + std::to_string(index);
  dom::object message;
  if (value.get(message)) return invalid(pointer, "A message must be an object {role, content}.");
  bool role = false;
  bool content = false;
  for (const auto [name, member] : message) {
    bool* seen = name == "role" ? &role : name == "content" ? &content : nullptr;
    if (!seen)
      return make_problem(
          "unknown_field", pointer + pointer_step(name),
          "The field " + quoted(name) + " is not known in a message; allowed are role, content.");
    if (*seen)
      return make_problem("duplicate_field", pointer + pointer_step(name),
                          "The field " + quoted(name) + " is given twice; give it once.");
    *seen = true;
    auto fault = seen == &role ? check_role(member, pointer) : check_content(member, pointer);
    if (fault) return fault;
  }
  if (role && content) return {};
  const std::string missing = role ? "content" : "role";
  return make_problem("missing_field", pointer + "/" + missing,
                      "`" + missing + "` is missing; a message needs both role and content.");
}

}  // namespace

std::optional<Problem> check_input(dom::element input) {
  std::string_view text;
  if (!input.get(text)) {
    if (!text.empty()) return {};
    return invalid("/input", "`input` must not be empty.");
  }
  dom::array messages;
  if (input.get(messages))
    return invalid("/input",
                   "`input` must be a non-empty string or a list of {role, content} objects.");
  std::size_t index = 0;
  for (const auto message : messages) {
    if (auto fault = check_message(message, index++)) return fault;
  }
  if (index > 0) return {};
  return invalid("/input", "`input` is an empty list; at least one {role, content} is required.");
}

std::optional<std::string> duplicate_member(dom::element value) {
  if (dom::array list; !value.get(list)) {
    std::size_t index = 0;
    for (const auto item : list) {
      if (auto twice = duplicate_member(item)) return "/" + std::to_string(index) + *twice;
      ++index;
    }
    return {};
  }
  dom::object object;
  if (value.get(object)) return {};
  std::vector<std::string_view> names;
  for (const auto [name, member] : object) {
    names.push_back(name);
    if (auto twice = duplicate_member(member)) return pointer_step(name) + *twice;
  }
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice == names.end()) return {};
  return pointer_step(*twice);
}

std::string pointer_step(std::string_view name) {
  std::string step = "/";
  for (const char c : cut_utf8(name, pointer_step_bytes_max)) {
    if (c == '~')
      step += "~0";
    else if (c == '/')
      step += "~1";
    else
      step += c;
  }
  return step;
}

}  // namespace millrace
