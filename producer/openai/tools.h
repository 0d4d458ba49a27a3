#pragma once
#include <simdjson.h>

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "shared/contract/problem.h"

namespace millrace::openai {

/// What is wrong with the `tools` of a request: at most 128 functions, each with a name.
std::optional<Problem> check_tools(simdjson::dom::element tools);

/// `tool_choice`: `none`, `auto`, `required`, or the function to call.
std::optional<Problem> check_tool_choice(simdjson::dom::element choice);

/// `response_format`: `text`, `json_object`, or `json_schema` with its schema.
std::optional<Problem> check_response_format(simdjson::dom::element format);

// The same as /v1/responses writes them, and as the messages' API does: what is inside a function
// stands there beside its `type`. `raw` is the value as it was written.

/// The functions, as a list; the problem that names what is wrong, or what is no function.
std::expected<std::string, Problem> chat_tools(simdjson::dom::element tools, std::string_view raw);
/// `none`, `auto`, `required`, or the function to call.
std::expected<std::string, Problem> chat_tool_choice(simdjson::dom::element choice,
                                                     std::string_view raw);
/// `text.format`, as the `response_format` that says the same.
std::expected<std::string, Problem> chat_response_format(simdjson::dom::element format,
                                                         std::string_view raw);

}  // namespace millrace::openai
