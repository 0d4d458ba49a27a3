#pragma once
#include <simdjson.h>

#include <expected>
#include <string>
#include <vector>

#include "shared/contract/problem.h"
#include "shared/contract/tool_call.h"

namespace millrace::openai {

/// An item of a response's `input`, in the terms of the messages that the model's server takes.
struct InputItem {
  enum class Kind : std::uint8_t {
    message,    ///< `role` says `content`
    call,       ///< the model called a tool
    output,     ///< what that tool answered: `content`, to `call.call_id`
    reference,  ///< an item that an earlier response has or was given
  };
  Kind kind = Kind::message;
  std::string role;
  std::string content;  ///< JSON: a string, or a list of content parts
  ToolCall call;
  std::string reference;  ///< its id
};

using InputItems = std::vector<InputItem>;

/// Reads `input`: a string, or a list of messages, function calls, their outputs and references.
/// Items of `reasoning` are left out: no server takes them as messages. Anything else is a
/// problem that names it (`input[1].content[0].type`). Pure.
std::expected<InputItems, Problem> read_input_items(simdjson::dom::element input);

/// These as messages, one JSON object each with commas between them: the calls of one answer
/// stand in the message of that answer. No references.
std::string messages_json(const InputItems& items);

}  // namespace millrace::openai
