#pragma once
#include <simdjson.h>

#include <optional>

#include "shared/contract/problem.h"

namespace millrace::openai {

/// What is wrong with the `tools` of a request: at most 128 functions, each with a name.
std::optional<Problem> check_tools(simdjson::dom::element tools);

/// `tool_choice`: `none`, `auto`, `required`, or the function to call.
std::optional<Problem> check_tool_choice(simdjson::dom::element choice);

/// `response_format`: `text`, `json_object`, or `json_schema` with its schema.
std::optional<Problem> check_response_format(simdjson::dom::element format);

}  // namespace millrace::openai
