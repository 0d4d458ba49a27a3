#pragma once
#include <simdjson.h>

#include <optional>

#include "shared/contract/problem.h"

namespace millrace::openai {

/// What is wrong with the `messages` of a chat request: a list of at least one object with a role
/// and what that role needs. Members that are not known here are the model server's to judge.
std::optional<Problem> check_messages(simdjson::dom::element messages);

}  // namespace millrace::openai
