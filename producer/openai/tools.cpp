#include "producer/openai/tools.h"

#include <algorithm>
#include <array>
#include <string>

#include "producer/openai/faults.h"
#include "shared/contract/raw_members.h"
#include "shared/runtime/json_text.h"

namespace millrace::openai {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t tools_max = 128;
constexpr std::size_t tool_name_bytes_max = 128;

bool allowed_in_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

Fault check_name(dom::object function, const std::string& param) {
  std::string_view name;
  const bool right = !function["name"].get(name) && !name.empty() &&
                     name.size() <= tool_name_bytes_max &&
                     std::ranges::all_of(name, allowed_in_name);
  if (right) return {};
  return invalid(
      param + ".name",
      "`name` must be 1 to 128 letters, digits, `_`, `-` and `.`: what the model calls.");
}

/// Only functions: what other kinds of tools answer has no place in this API.
Fault check_type(dom::object tool, const std::string& param) {
  std::string_view type;
  if (!tool["type"].get(type) && type == "function") return {};
  return make_problem(type.empty() ? "invalid_field" : "not_supported", param + ".type",
                      "`type` must be \"function\".");
}

Fault check_tool(dom::element value, const std::string& param) {
  dom::object tool;
  if (value.get(tool)) return invalid(param, "A tool must be an object {type, function}.");
  if (auto fault = check_type(tool, param)) return fault;
  dom::object function;
  if (tool["function"].get(function))
    return invalid(param + ".function", "`function` must be an object with a `name`.");
  if (auto fault = check_name(function, param + ".function")) return fault;
  dom::element parameters;
  if (function["parameters"].get(parameters) || parameters.is_null() || parameters.is_object())
    return {};
  return invalid(param + ".function.parameters", "`parameters` must be a JSON Schema, an object.");
}

}  // namespace

std::optional<Problem> check_tools(dom::element value) {
  dom::array tools;
  if (value.get(tools)) return invalid("tools", "`tools` must be a list of tools.");
  if (tools.size() > tools_max)
    return invalid("tools", "`tools` has " + std::to_string(tools.size()) +
                                " tools; at most 128 are allowed.");
  std::size_t index = 0;
  for (const auto tool : tools) {
    if (auto fault = check_tool(tool, "tools[" + std::to_string(index++) + "]")) return fault;
  }
  return {};
}

std::optional<Problem> check_tool_choice(dom::element value) {
  std::string_view word;
  dom::object choice;
  if (!value.get(word)) {
    if (word == "none" || word == "auto" || word == "required") return {};
  } else if (!value.get(choice)) {
    dom::object function;
    if (auto fault = check_type(choice, "tool_choice")) return fault;
    if (!choice["function"].get(function)) return check_name(function, "tool_choice.function");
  }
  return invalid("tool_choice",
                 "`tool_choice` must be \"none\", \"auto\", \"required\" or "
                 "{\"type\":\"function\",\"function\":{\"name\":…}}.");
}

std::optional<Problem> check_response_format(dom::element value) {
  dom::object format;
  std::string_view type;
  if (value.get(format))
    return invalid("response_format", "`response_format` must be an object with a `type`.");
  if (format["type"].get(type) ||
      (type != "text" && type != "json_object" && type != "json_schema"))
    return invalid("response_format.type",
                   "`type` must be \"text\", \"json_object\" or \"json_schema\".");
  dom::object schema;
  if (type != "json_schema" || !format["json_schema"].get(schema)) return {};
  return invalid("response_format.json_schema", "`json_schema` must be an object {name, schema}.");
}

// --- of /v1/responses

namespace {

/// The members of an object but for its `type`, as they were written.
std::string without_type(dom::object object, std::string_view raw) {
  RawMembers values(raw);
  std::string out = "{";
  for (const auto [name, value] : object) {
    const auto written = values.next();
    if (name == "type") continue;
    if (out.size() > 1) out += ',';
    append_json_string(out, name);
    out.append(":").append(one_line(written));
  }
  return out += '}';
}

Fault check_function(dom::element value, const std::string& param) {
  dom::object tool;
  if (value.get(tool)) return invalid(param, "A tool must be an object {type, name, parameters}.");
  if (auto fault = check_type(tool, param)) return fault;
  if (auto fault = check_name(tool, param)) return fault;
  dom::element parameters;
  if (tool["parameters"].get(parameters) || parameters.is_null() || parameters.is_object())
    return {};
  return invalid(param + ".parameters", "`parameters` must be a JSON Schema, an object.");
}

}  // namespace

std::expected<std::string, Problem> chat_tools(dom::element value, std::string_view raw) {
  dom::array tools;
  if (value.get(tools))
    return std::unexpected(*invalid("tools", "`tools` must be a list of tools."));
  if (tools.size() > tools_max)
    return std::unexpected(*invalid("tools", "`tools` has " + std::to_string(tools.size()) +
                                                 " tools; at most 128 are allowed."));
  RawMembers written(raw);
  std::string out = "[";
  std::size_t index = 0;
  for (const auto tool : tools) {
    if (auto fault = check_function(tool, "tools[" + std::to_string(index++) + "]"))
      return std::unexpected(std::move(*fault));
    if (out.size() > 1) out += ',';
    out.append(R"({"type":"function","function":)");
    out.append(without_type(tool.get_object(), written.next_element())).append("}");
  }
  return out += ']';
}

std::expected<std::string, Problem> chat_tool_choice(dom::element value, std::string_view raw) {
  std::string_view word;
  dom::object choice;
  if (!value.get(word)) {
    if (word == "none" || word == "auto" || word == "required") return std::string(raw);
  } else if (!value.get(choice)) {
    if (auto fault = check_type(choice, "tool_choice")) return std::unexpected(std::move(*fault));
    if (auto fault = check_name(choice, "tool_choice")) return std::unexpected(std::move(*fault));
    return R"({"type":"function","function":)" + without_type(choice, raw) + "}";
  }
  return std::unexpected(*invalid("tool_choice",
                                  "`tool_choice` must be \"none\", \"auto\", \"required\" or "
                                  "{\"type\":\"function\",\"name\":…}."));
}

std::expected<std::string, Problem> chat_response_format(dom::element value, std::string_view raw) {
  dom::object format;
  std::string_view type;
  if (value.get(format))
    return std::unexpected(*invalid("text.format", "`format` must be an object with a `type`."));
  if (format["type"].get(type) ||
      (type != "text" && type != "json_object" && type != "json_schema"))
    return std::unexpected(*invalid(
        "text.format.type", "`type` must be \"text\", \"json_object\" or \"json_schema\"."));
  if (type != "json_schema") return R"({"type":")" + std::string(type) + "\"}";
  if (auto fault = check_name(format, "text.format")) return std::unexpected(std::move(*fault));
  dom::object schema;
  if (format["schema"].get(schema))
    return std::unexpected(
        *invalid("text.format.schema", "`schema` must be a JSON Schema, an object."));
  return R"({"type":"json_schema","json_schema":)" + without_type(format, raw) + "}";
}

}  // namespace millrace::openai
