#include "workers/llm/simulator_tools.h"

#include <algorithm>

#include "shared/runtime/json_text.h"

namespace millrace {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t piece_bytes = 8;
constexpr int depth_max = 8;

void append_example(std::string& out, dom::element schema, int depth);

bool required(dom::element schema, std::string_view name) {
  dom::array names;
  if (schema["required"].get(names)) return true;
  return std::ranges::any_of(names, [name](dom::element each) {
    std::string_view word;
    return !each.get(word) && word == name;
  });
}

void append_object(std::string& out, dom::element schema, int depth) {
  out += '{';
  dom::object properties;
  if (depth < depth_max && !schema["properties"].get(properties)) {
    for (const auto [name, property] : properties) {
      if (!required(schema, name)) continue;
      if (out.back() != '{') out += ',';
      append_json_string(out, name);
      out += ':';
      append_example(out, property, depth + 1);
    }
  }
  out += '}';
}

/// Something that the schema allows, the same each time.
void append_example(std::string& out, dom::element schema, int depth) {
  dom::array choices;
  std::string_view type;
  if (!schema["enum"].get(choices) && choices.size() > 0) {
    out += simdjson::minify(choices.at(0));
    return;
  }
  (void)schema["type"].get(type);
  if (type == "object")
    append_object(out, schema, depth);
  else if (type == "integer" || type == "number")
    out += '7';
  else if (type == "boolean")
    out += "true";
  else if (type == "array")
    out += "[]";
  else
    out += R"("서울 Seoul")";
}

}  // namespace

std::vector<SimTool> callable_tools(dom::object request) {
  std::vector<SimTool> tools;
  dom::array given;
  std::string_view choice;
  std::string_view only;
  if (request["tools"].get(given)) return tools;
  if (!request["tool_choice"].get(choice) && choice == "none") return tools;
  (void)request.at_pointer("/tool_choice/function/name").get(only);
  for (const dom::element tool : given) {
    std::string_view name;
    if (tool.at_pointer("/function/name").get(name) || (!only.empty() && only != name)) continue;
    SimTool& callable = tools.emplace_back();
    callable.name = name;
    dom::element schema;
    if (tool.at_pointer("/function/parameters").get(schema))
      callable.arguments = "{}";
    else
      append_object(callable.arguments, schema, 0);
  }
  return tools;
}

std::vector<SimToolPiece> tool_pieces(const std::vector<SimTool>& tools, std::uint32_t calls) {
  std::vector<SimToolPiece> pieces;
  for (std::uint32_t call = 0; call < calls; ++call) {
    pieces.push_back({.call = call, .first = true, .arguments = {}});
    std::string_view left = tools[call % tools.size()].arguments;
    while (!left.empty()) {
      const auto piece = cut_utf8(left, piece_bytes);
      pieces.push_back({.call = call, .first = false, .arguments = std::string(piece)});
      left.remove_prefix(piece.size());
    }
  }
  return pieces;
}

}  // namespace millrace
