#include "shared/contract/asides.h"

#include <simdjson.h>

#include "shared/runtime/json_text.h"

namespace millrace {
namespace {

void append_member(std::string& out, Aside kind, std::string_view text) {
  if (text.empty()) return;
  out.append(",\"").append(to_string(kind)).append("\":");
  append_json_string(out, text);
}

}  // namespace

std::string_view to_string(Aside kind) {
  return kind == Aside::reasoning ? "reasoning" : "refusal";
}

void append_members(std::string& out, const Asides& asides) {
  append_member(out, Aside::reasoning, asides.reasoning);
  append_member(out, Aside::refusal, asides.refusal);
}

std::string to_json(const Asides& asides) {
  std::string members;
  append_members(members, asides);
  return members.empty() ? members : "{" + members.substr(1) + "}";
}

Asides read_asides(std::string_view object) {
  simdjson::dom::parser parser;
  simdjson::dom::element json;
  Asides asides;
  if (object.empty() || parser.parse(object.data(), object.size()).get(json)) return asides;
  for (const auto kind : {Aside::reasoning, Aside::refusal}) {
    std::string_view text;
    if (!json[to_string(kind)].get(text)) asides.of(kind) = text;
  }
  return asides;
}

}  // namespace millrace
