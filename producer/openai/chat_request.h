#pragma once
#include <expected>
#include <string_view>

#include "producer/openai/asked.h"
#include "shared/contract/problem.h"
#include "shared/runtime/time.h"

namespace millrace::openai {

/// A chat completion that is asked for.
struct ChatRequest : Asked {
  bool include_usage = false;  ///< of a stream: a last chunk with it
};

/// Reads the body of `POST /v1/chat/completions`. Pure.
///
/// `messages` become the job's input as they were written; the fields that only the model's server
/// understands become its `params`, checked for type and range and otherwise untouched. A field
/// that would change the answer and cannot be served is a problem that names it, as OpenAI names
/// it (`messages[0].role`); one that is `null` is left out.
std::expected<ChatRequest, Problem> parse_chat_request(std::string_view body, WallTime now);

}  // namespace millrace::openai
