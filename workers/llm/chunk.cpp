#include "workers/llm/chunk.h"

#include <simdjson.h>

#include <cstring>
#include <vector>

#include "shared/runtime/json_text.h"

namespace millrace {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::size_t message_bytes_max = 500;

/// Bytes that are no UTF-8 travel through the parser as private characters U+F780 to U+F7FF.
constexpr char32_t carrier = 0xf700;

void append_carried(std::string& out, std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out.push_back(c);
    } else {
      const char32_t code = carrier + byte;
      out.push_back(static_cast<char>(0xe0 | code >> 12));
      out.push_back(static_cast<char>(0x80 | (code >> 6 & 0x3f)));
      out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
    }
  }
}

void append_landed(std::string& out, std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto at = [&](std::size_t k) {
      return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0u;
    };
    const char32_t code = (at(0) & 0x0fu) << 12 | (at(1) & 0x3fu) << 6 | (at(2) & 0x3fu);
    if ((at(0) & 0xf0u) == 0xe0u && code >= carrier + 0x80 && code <= carrier + 0xff) {
      out.push_back(static_cast<char>(code - carrier));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
}

/// Where a value lies in the document, without white space around it.
bool raw(ondemand::value& value, std::string_view& out) {
  ondemand::json_type type;
  if (value.type().get(type)) return false;
  if (type == ondemand::json_type::object) {
    ondemand::object object;
    if (value.get_object().get(object) || object.raw_json().get(out)) return false;
  } else {
    out = value.raw_json_token();
  }
  while (!out.empty() && static_cast<unsigned char>(out.back()) <= ' ') out.remove_suffix(1);
  return true;
}

bool null(ondemand::value& value) {
  bool is = false;
  return !value.is_null().get(is) && is;
}

/// A string, or nothing where it is null.
bool text_or_null(ondemand::value& value, std::string_view& out) {
  return null(value) || !value.get_string().get(out);
}

/// A string; anything else is passed over, since no two servers mean the same by it.
bool text_if_any(ondemand::value& value, std::string_view& out) {
  std::string_view text;
  if (!null(value) && !value.get_string().get(text) && !text.empty()) out = text;
  return true;
}

/// Calls `take(key, value)` for each member; false when one of them, or the object, is not right.
template <class Take>
bool each_member(ondemand::value& value, const Take& take) {
  ondemand::object object;
  if (value.get_object().get(object)) return false;
  for (auto each : object) {
    ondemand::field field;
    std::string_view key;
    if (std::move(each).get(field) || field.unescaped_key().get(key)) return false;
    if (!take(key, field.value())) return false;
  }
  return true;
}

bool read_function(ondemand::value& value, ToolPiece& piece) {
  return null(value) || each_member(value, [&piece](std::string_view key, ondemand::value& member) {
           if (key == "name") return text_or_null(member, piece.name);
           if (key == "arguments") return text_or_null(member, piece.arguments);
           return true;
         });
}

bool read_tool(ondemand::value& value, ToolPiece& piece) {
  return each_member(value, [&piece](std::string_view key, ondemand::value& member) {
    if (key == "id") return text_or_null(member, piece.call_id);
    if (key == "function") return read_function(member, piece);
    if (key != "index" || null(member)) return true;
    std::uint64_t index = 0;
    if (member.get_uint64().get(index)) return false;
    piece.index = index;
    return true;
  });
}

bool read_tools(ondemand::value& value, std::vector<ToolPiece>& tools) {
  if (null(value)) return true;
  ondemand::array list;
  if (value.get_array().get(list)) return false;
  for (auto each : list) {
    ondemand::value item;
    if (each.get(item) || !read_tool(item, tools.emplace_back())) return false;
  }
  return true;
}

bool read_delta(ondemand::value& value, ChatChunk& chunk, std::vector<ToolPiece>& tools) {
  return null(value) || each_member(value, [&](std::string_view key, ondemand::value& member) {
           if (key == "content") return text_or_null(member, chunk.text);
           if (key == "tool_calls") return read_tools(member, tools);
           if (key == "refusal") return text_if_any(member, chunk.refusal);
           if (key == "reasoning_content" || key == "reasoning")
             return text_if_any(member, chunk.reasoning);
           return true;
         });
}

bool read_choice(ondemand::value& choice, ChatChunk& chunk, std::vector<ToolPiece>& tools) {
  return each_member(choice, [&](std::string_view key, ondemand::value& member) {
    if (key == "delta") return read_delta(member, chunk, tools);
    if (key == "finish_reason") return text_or_null(member, chunk.finish_reason);
    return true;
  });
}

bool read_choices(ondemand::value& value, ChatChunk& chunk, std::vector<ToolPiece>& tools) {
  if (null(value)) return true;
  ondemand::array choices;
  if (value.get_array().get(choices)) return false;
  bool first = true;
  for (auto each : choices) {
    ondemand::value choice;
    ondemand::json_type type;
    if (each.get(choice) || choice.type().get(type) || type != ondemand::json_type::object)
      return false;
    if (first && !read_choice(choice, chunk, tools)) return false;
    first = false;
  }
  return true;
}

std::string presentable(std::string_view text) {
  std::string out;
  for (const char c : cut_utf8(text, message_bytes_max))
    out.push_back(static_cast<unsigned char>(c) < ' ' || c == 0x7f ? ' ' : c);
  if (!valid_utf8(out)) {
    for (char& c : out)
      if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return out;
}

void read_error_object(simdjson::dom::element json, UpstreamError& error) {
  std::string_view text;
  std::int64_t number = 0;
  if (!json.get(text)) {
    error.message = presentable(text);
    return;
  }
  for (const char* key : {"message", "detail", "error"}) {
    if (error.message.empty() && !json[key].get(text)) error.message = presentable(text);
  }
  for (const char* key : {"code", "type"}) {
    if (error.code.empty() && !json[key].get(text)) error.code = presentable(text);
  }
  for (const char* key : {"code", "status"}) {
    if (error.status == 0 && !json[key].get(number) && number >= 100 && number < 600)
      error.status = static_cast<int>(number);
  }
}

}  // namespace

struct ChunkReader::Buffers {
  ondemand::parser parser;
  std::string json;  ///< with the parser's padding behind it
  std::string text;
  std::vector<ToolPiece> tools;
};

ChunkReader::ChunkReader() : buffers_(std::make_unique<Buffers>()) {}
ChunkReader::~ChunkReader() = default;

bool ChunkReader::read(std::string_view json, ChatChunk& chunk) {
  std::string& buffer = buffers_->json;
  buffer.assign(json);
  if (walk(chunk)) return true;
  if (valid_utf8(json)) return false;
  buffer.clear();
  append_carried(buffer, json);
  // Half a character is carried over to the next chunk in text alone.
  if (!walk(chunk) || !chunk.tools.empty() || !chunk.reasoning.empty() || !chunk.refusal.empty())
    return false;
  buffers_->text.clear();
  append_landed(buffers_->text, chunk.text);
  chunk.text = buffers_->text;
  chunk.raw_text = true;
  return true;
}

bool ChunkReader::walk(ChatChunk& chunk) {
  chunk = {};
  buffers_->tools.clear();
  std::string& buffer = buffers_->json;
  buffer.reserve(buffer.size() + simdjson::SIMDJSON_PADDING);
  ondemand::document document;
  const simdjson::padded_string_view padded(buffer.data(), buffer.size(), buffer.capacity());
  ondemand::object root;
  if (buffers_->parser.iterate(padded).get(document) || document.get_object().get(root))
    return false;
  for (auto each : root) {
    ondemand::field field;
    std::string_view key;
    if (std::move(each).get(field) || field.unescaped_key().get(key)) return false;
    bool good = true;
    if (key == "choices") {
      good = read_choices(field.value(), chunk, buffers_->tools);
    } else if (key == "model") {
      good = text_or_null(field.value(), chunk.model);
    } else if (key == "usage") {
      good = null(field.value()) || raw(field.value(), chunk.usage);
    } else if (key == "error") {
      good = null(field.value()) || raw(field.value(), chunk.error);
    }
    if (!good) return false;
  }
  chunk.tools = buffers_->tools;
  return true;
}

UpstreamError read_upstream_error(std::string_view body) {
  UpstreamError error;
  simdjson::dom::parser parser;
  simdjson::dom::element json;
  simdjson::dom::element inner;
  const bool parsed = !parser.parse(body.data(), body.size()).get(json);
  if (parsed && !json["error"].get(inner)) read_error_object(inner, error);
  if (parsed && error.message.empty()) read_error_object(json, error);
  if (error.message.empty()) error.message = presentable(body);
  return error;
}

}  // namespace millrace
