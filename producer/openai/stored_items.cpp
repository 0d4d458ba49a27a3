#include "producer/openai/stored_items.h"

#include <simdjson.h>

#include "shared/runtime/json_text.h"

namespace millrace::openai {
namespace {

namespace dom = simdjson::dom;

/// Of a value this program has checked; empty where it is none.
std::string text_of(simdjson::simdjson_result<dom::element> value) {
  std::string_view text;
  return value.get(text) ? std::string() : std::string(text);
}

void append_calls(dom::element message, InputItems& items) {
  dom::array calls;
  if (message["tool_calls"].get(calls)) return;
  for (const auto call : calls) {
    InputItem& item = items.emplace_back();
    item.kind = InputItem::Kind::call;
    item.call = {text_of(call["id"]), text_of(call.at_pointer("/function/name")),
                 text_of(call.at_pointer("/function/arguments"))};
  }
}

void append_message(dom::element message, InputItems& items) {
  dom::element content;
  const bool says = !message["content"].get(content) && !content.is_null();
  const std::string role = text_of(message["role"]);
  if (says) {
    InputItem& item = items.emplace_back();
    item.role = role;
    item.content = simdjson::minify(content);
    if (role == "tool") {
      item.kind = InputItem::Kind::output;
      item.call.call_id = text_of(message["tool_call_id"]);
    }
  }
  append_calls(message, items);
}

// --- as the API shows them

void append_text_part(std::string& out, std::string_view role, std::string_view text) {
  const bool answer = role == "assistant";
  out += answer ? R"({"type":"output_text","annotations":[],"logprobs":[],"text":)"
                : R"({"type":"input_text","text":)";
  append_json_string(out, text);
  out += '}';
}

void append_named(std::string& out, std::string_view name, dom::element value) {
  out.append(",\"").append(name).append("\":").append(simdjson::minify(value));
}

void append_part(std::string& out, std::string_view role, dom::element part) {
  std::string_view type;
  (void)part["type"].get(type);
  dom::element found;
  if (type == "image_url") {
    out += R"({"type":"input_image")";
    if (!part.at_pointer("/image_url/url").get(found)) append_named(out, "image_url", found);
    if (!part.at_pointer("/image_url/detail").get(found))
      append_named(out, "detail", found);
    else
      out += R"(,"detail":"auto")";
    out += '}';
  } else if (type == "file") {
    out += R"({"type":"input_file")";
    for (const char* name : {"filename", "file_data"})
      if (!part.at_pointer(std::string("/file/") + name).get(found)) append_named(out, name, found);
    out += '}';
  } else if (type == "refusal") {
    out += simdjson::minify(part);
  } else {
    append_text_part(out, role, text_of(part["text"]));
  }
}

/// Always a list of parts, however it was written.
void append_content(std::string& out, const InputItem& item) {
  dom::parser parser;
  dom::element content;
  std::string_view text;
  dom::array parts;
  out += '[';
  if (parser.parse(item.content).get(content)) {
    // It cannot be: this program wrote it.
  } else if (!content.get(text)) {
    append_text_part(out, item.role, text);
  } else if (!content.get(parts)) {
    bool first = true;
    for (const auto part : parts) {
      if (!std::exchange(first, false)) out += ',';
      append_part(out, item.role, part);
    }
  }
  out += ']';
}

void append_output(std::string& out, const InputItem& item) {
  if (item.content.starts_with('"'))
    out += item.content;
  else
    append_content(out, item);
}

/// Parts of a message that was refused.
std::string refused_content(const Outcome& outcome) {
  std::string content = "[";
  if (!outcome.text.empty()) {
    content += R"({"type":"text","text":)";
    append_json_string(content, outcome.text);
    content += "},";
  }
  content += R"({"type":"refusal","refusal":)";
  append_json_string(content, outcome.asides.refusal);
  return content += "}]";
}

ItemKind kind_of(const InputItem& item) {
  if (item.kind == InputItem::Kind::call) return ItemKind::call;
  return item.kind == InputItem::Kind::output ? ItemKind::call_output : ItemKind::message;
}

}  // namespace

InputItems items_of_messages(std::string_view messages, std::size_t first) {
  dom::parser parser;
  dom::array list;
  InputItems items;
  if (parser.parse(messages.data(), messages.size()).get(list)) return items;
  std::size_t place = 0;
  for (const auto message : list)
    if (place++ >= first) append_message(message, items);
  return items;
}

InputItems items_of_outcome(const Outcome& outcome) {
  InputItems items;
  const bool refused = !outcome.asides.refusal.empty();
  if (!outcome.text.empty() || refused || outcome.tool_calls.empty()) {
    InputItem& said = items.emplace_back();
    said.role = "assistant";
    if (refused)
      said.content = refused_content(outcome);
    else
      append_json_string(said.content, outcome.text);
  }
  for (const auto& call : outcome.tool_calls) {
    InputItem& item = items.emplace_back();
    item.kind = InputItem::Kind::call;
    item.call = call;
  }
  return items;
}

std::string input_item_name(const JobId& job, std::size_t place, const InputItem& item) {
  return to_string({.kind = kind_of(item), .job = job, .input = true, .place = place});
}

std::string input_item_json(const JobId& job, std::size_t place, const InputItem& item) {
  std::string out = R"({"id":)";
  append_json_string(out, input_item_name(job, place, item));
  switch (item.kind) {
    case InputItem::Kind::call:
      out += R"(,"type":"function_call","status":"completed","call_id":)";
      append_json_string(out, item.call.call_id);
      out += R"(,"name":)";
      append_json_string(out, item.call.name);
      out += R"(,"arguments":)";
      append_json_string(out, item.call.arguments);
      break;
    case InputItem::Kind::output:
      out += R"(,"type":"function_call_output","status":"completed","call_id":)";
      append_json_string(out, item.call.call_id);
      out += R"(,"output":)";
      append_output(out, item);
      break;
    default:
      out += R"(,"type":"message","status":"completed","role":)";
      append_json_string(out, item.role);
      out += R"(,"content":)";
      append_content(out, item);
  }
  return out += '}';
}

}  // namespace millrace::openai
