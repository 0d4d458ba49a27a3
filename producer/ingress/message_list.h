#pragma once
#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>

#include "shared/contract/problem.h"

namespace millrace {

/// What is wrong with a job's `input`: it is a non-empty string, or a list of at least one
/// `{role, content}`. Its size is not judged.
std::optional<Problem> check_input(simdjson::dom::element input);

/// The JSON pointer, from `value` on, of a member that an object in it has twice.
std::optional<std::string> duplicate_member(simdjson::dom::element value);

/// `/name`, escaped as RFC 6901 says, cut to what a person reads.
std::string pointer_step(std::string_view name);

}  // namespace millrace
