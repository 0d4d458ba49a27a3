#pragma once
#include <string>
#include <string_view>

#include "shared/contract/outcome.h"
#include "shared/runtime/ids.h"
#include "shared/runtime/time.h"

namespace millrace::openai {

/// `chatcmpl-<job id>`
std::string completion_id(const JobId& id);
std::uint64_t created_s(WallTime created_at);

/// One of OpenAI's reasons (`stop`, `length`, `tool_calls`, `content_filter`), for whatever word
/// the model's server used.
std::string_view finish_reason(std::string_view word);

/// `"id":…,"type":"function","function":{"name":…,"arguments":…}`
void append_call(std::string& out, const ToolCall& call);

/// The answer of a job that succeeded, as one `chat.completion`. Pure.
std::string completion_json(const JobId& id, WallTime created_at, const Outcome& outcome);

}  // namespace millrace::openai
