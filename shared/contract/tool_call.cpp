#include "shared/contract/tool_call.h"

#include <simdjson.h>

#include "shared/runtime/json_text.h"

namespace millrace {

void append_members(std::string& out, const ToolCall& call) {
  out += R"("call_id":)";
  append_json_string(out, call.call_id);
  out += R"(,"name":)";
  append_json_string(out, call.name);
  out += R"(,"arguments":)";
  append_json_string(out, call.arguments);
}

void append_tool_calls(std::string& out, const std::vector<ToolCall>& calls) {
  out += '[';
  for (const auto& call : calls) {
    if (out.back() != '[') out += ',';
    out += '{';
    append_members(out, call);
    out += '}';
  }
  out += ']';
}

std::vector<ToolCall> read_tool_calls(std::string_view json) {
  std::vector<ToolCall> calls;
  if (json.empty()) return calls;
  simdjson::dom::parser parser;
  simdjson::dom::array items;
  if (parser.parse(json.data(), json.size()).get(items)) return calls;
  for (const auto item : items) {
    std::string_view id;
    std::string_view name;
    std::string_view arguments;
    if (item["call_id"].get(id) || item["name"].get(name) || item["arguments"].get(arguments))
      continue;
    calls.push_back({std::string(id), std::string(name), std::string(arguments)});
  }
  return calls;
}

}  // namespace millrace
