#include "producer/openai/response_input.h"

#include <algorithm>
#include <array>
#include <optional>

#include "producer/openai/faults.h"
#include "shared/runtime/json_text.h"

namespace millrace::openai {
namespace {

namespace dom = simdjson::dom;

/// A member that must be a string.
Fault read_text(dom::object object, const char* name, const std::string& param,
                std::string_view& text) {
  const auto found = member(object, name);
  if (!found) return missing(param + "." + name, std::string("`") + name + "` is missing.");
  if (!found->get(text)) return {};
  return invalid(param + "." + name, std::string("`") + name + "` must be a string.");
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  out += out.back() == '{' ? "\"" : ",\"";
  out.append(name).append("\":");
  append_json_string(out, text);
}

// --- content parts

/// A part that is given by reference, or by a member that no message has.
Fault only_inline(dom::object part, std::initializer_list<const char*> elsewhere,
                  std::string_view instead, const std::string& param) {
  for (const char* name : elsewhere) {
    if (member(part, name))
      return not_supported(
          param + "." + name,
          std::string("`") + name + "` is not supported; send `" + std::string(instead) + "`.");
  }
  return {};
}

Fault append_image(dom::object part, const std::string& param, std::string& out) {
  if (auto fault = only_inline(part, {"file_id"}, "image_url", param)) return fault;
  std::string_view url;
  if (auto fault = read_text(part, "image_url", param, url)) return fault;
  std::string_view detail;
  if (member(part, "detail"))
    if (auto fault = read_text(part, "detail", param, detail)) return fault;
  out += R"({"type":"image_url","image_url":{)";
  append_member(out, "url", url);
  if (!detail.empty()) append_member(out, "detail", detail);
  out += "}}";
  return {};
}

Fault append_file(dom::object part, const std::string& param, std::string& out) {
  if (auto fault = only_inline(part, {"file_id", "file_url"}, "file_data", param)) return fault;
  std::string_view data;
  if (auto fault = read_text(part, "file_data", param, data)) return fault;
  std::string_view name;
  if (member(part, "filename"))
    if (auto fault = read_text(part, "filename", param, name)) return fault;
  out += R"({"type":"file","file":{)";
  if (!name.empty()) append_member(out, "filename", name);
  append_member(out, "file_data", data);
  out += "}}";
  return {};
}

Fault append_words(dom::object part, const char* name, const std::string& param, std::string& out) {
  std::string_view text;
  if (auto fault = read_text(part, name, param, text)) return fault;
  out += '{';
  append_member(out, "type", name);
  append_member(out, name, text);
  out += '}';
  return {};
}

Fault append_part(dom::element value, std::string_view role, const std::string& param,
                  std::string& out) {
  dom::object part;
  if (value.get(part)) return invalid(param, "A content part must be an object with a `type`.");
  std::string_view type;
  if (auto fault = read_text(part, "type", param, type)) return fault;
  if (type == "input_text" || type == "output_text") return append_words(part, "text", param, out);
  if (type == "refusal" && role == "assistant") return append_words(part, "refusal", param, out);
  if (type == "input_image" && role == "user") return append_image(part, param, out);
  if (type == "input_file" && role == "user") return append_file(part, param, out);
  return not_supported(param + ".type",
                       "A part of the type " + quoted(type) +
                           " is not supported in a message of the role " + quoted(role) +
                           R"(; send "input_text", a user also "input_image" or "input_file", an )"
                           R"(assistant "output_text" or "refusal".)");
}

/// Texts and lists of parts as a message holds them.
Fault read_content(dom::element value, std::string_view role, const std::string& param,
                   std::string& out) {
  std::string_view text;
  if (!value.get(text)) {
    append_json_string(out, text);
    return {};
  }
  dom::array parts;
  if (value.get(parts)) return invalid(param, "It must be a string or a list of content parts.");
  if (parts.size() == 0) return invalid(param, "It is an empty list; send at least a part.");
  std::size_t index = 0;
  for (const auto part : parts) {
    out += index == 0 ? '[' : ',';
    if (auto fault = append_part(part, role, param + "[" + std::to_string(index++) + "]", out))
      return fault;
  }
  out += ']';
  return {};
}

// --- items

Fault read_message(dom::object item, const std::string& param, InputItem& into) {
  std::string_view role;
  if (auto fault = read_text(item, "role", param, role)) return fault;
  constexpr std::array<std::string_view, 4> roles{"user", "assistant", "system", "developer"};
  if (std::ranges::find(roles, role) == roles.end())
    return invalid(param + ".role",
                   "`role` is " + quoted(role) +
                       R"(; allowed are "user", "assistant", "system" and "developer".)");
  into.role = role;
  const auto content = member(item, "content");
  if (!content) return missing(param + ".content", "`content` is missing.");
  return read_content(*content, role, param + ".content", into.content);
}

Fault read_call(dom::object item, const std::string& param, InputItem& into) {
  into.kind = InputItem::Kind::call;
  std::string_view id;
  std::string_view name;
  std::string_view arguments;
  if (auto fault = read_text(item, "call_id", param, id)) return fault;
  if (auto fault = read_text(item, "name", param, name)) return fault;
  if (auto fault = read_text(item, "arguments", param, arguments)) return fault;
  into.call = {std::string(id), std::string(name), std::string(arguments)};
  return {};
}

Fault read_output(dom::object item, const std::string& param, InputItem& into) {
  into.kind = InputItem::Kind::output;
  std::string_view id;
  if (auto fault = read_text(item, "call_id", param, id)) return fault;
  into.call.call_id = id;
  const auto output = member(item, "output");
  if (!output) return missing(param + ".output", "`output` is missing: what the tool answered.");
  return read_content(*output, "tool", param + ".output", into.content);
}

Fault read_reference(dom::object item, const std::string& param, InputItem& into) {
  into.kind = InputItem::Kind::reference;
  std::string_view id;
  if (auto fault = read_text(item, "id", param, id)) return fault;
  into.reference = id;
  return {};
}

/// One item; nothing for one that no message can hold.
Fault read_item(dom::element value, const std::string& param, std::optional<InputItem>& into) {
  dom::object item;
  if (value.get(item)) return invalid(param, "An item must be an object.");
  std::string_view type = "message";
  if (member(item, "type")) {
    if (auto fault = read_text(item, "type", param, type)) return fault;
  } else if (!member(item, "role") && member(item, "id")) {
    type = "item_reference";
  }
  if (type == "reasoning") return {};
  into.emplace();
  if (type == "message") return read_message(item, param, *into);
  if (type == "function_call") return read_call(item, param, *into);
  if (type == "function_call_output") return read_output(item, param, *into);
  if (type == "item_reference") return read_reference(item, param, *into);
  return not_supported(param + ".type",
                       "An item of the type " + quoted(type) +
                           R"( is not supported; send "message", "function_call", )"
                           R"("function_call_output" or "item_reference".)");
}

// --- messages

class MessageWriter {
 public:
  void add(const InputItem& item) {
    if (item.kind == InputItem::Kind::call) return add_call(item.call);
    close();
    if (item.kind == InputItem::Kind::output) {
      open(R"({"role":"tool")");
      append_member(out_, "tool_call_id", item.call.call_id);
    } else {
      open("{");
      append_member(out_, "role", item.role);
      open_answer_ = item.role == "assistant";
    }
    out_.append(R"(,"content":)").append(item.content);
    if (!open_answer_) out_ += '}';
  }
  std::string take() {
    close();
    return std::move(out_);
  }

 private:
  void add_call(const ToolCall& call) {
    if (!open_answer_ && !open_calls_) {
      open(R"({"role":"assistant","content":null)");
      open_answer_ = true;
    }
    out_ += open_calls_ ? "," : R"(,"tool_calls":[)";
    open_answer_ = false;
    open_calls_ = true;
    out_ += '{';
    append_member(out_, "id", call.call_id);
    out_ += R"(,"type":"function","function":{)";
    append_member(out_, "name", call.name);
    append_member(out_, "arguments", call.arguments);
    out_ += "}}";
  }
  void open(std::string_view begin) {
    if (!out_.empty()) out_ += ',';
    out_ += begin;
  }
  void close() {
    if (open_calls_) out_ += ']';
    if (open_calls_ || open_answer_) out_ += '}';
    open_calls_ = open_answer_ = false;
  }

  std::string out_;
  bool open_answer_ = false;  ///< an answer whose calls may follow
  bool open_calls_ = false;
};

}  // namespace

std::expected<InputItems, Problem> read_input_items(dom::element input) {
  InputItems items;
  std::string_view text;
  dom::array list;
  if (!input.get(text)) {
    InputItem& said = items.emplace_back();
    said.role = "user";
    append_json_string(said.content, text);
    return items;
  }
  if (input.get(list))
    return std::unexpected(*invalid("input", "`input` must be a string or a list of items."));
  std::size_t index = 0;
  for (const auto value : list) {
    std::optional<InputItem> item;
    if (auto fault = read_item(value, "input[" + std::to_string(index++) + "]", item))
      return std::unexpected(std::move(*fault));
    if (item) items.push_back(std::move(*item));
  }
  return items;
}

std::string messages_json(const InputItems& items) {
  MessageWriter writer;
  for (const auto& item : items) writer.add(item);
  return writer.take();
}

}  // namespace millrace::openai
