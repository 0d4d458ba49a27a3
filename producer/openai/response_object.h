#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "producer/openai/response_ids.h"
#include "shared/contract/job.h"
#include "shared/contract/problem.h"
#include "shared/store.h"

namespace millrace::openai {

/// What a response says of itself however it ends. From its job alone, so that every reader of it,
/// on any node, is told the same.
struct ResponseHead {
  JobId id;
  WallTime created_at{};
  std::string model;  ///< as it was asked for
  std::string shown;  ///< of the request: a JSON object, not empty
  bool background = false;
  bool stored = true;
};

/// Nothing for a job that is no response.
std::optional<ResponseHead> response_head(const Job& job);

/// Where a response stands.
struct ResponseState {
  std::string_view status;           ///< `queued`, `in_progress`, `completed`, …
  std::string_view incomplete = {};  ///< why it is, in OpenAI's words; empty where it is not
  std::string_view model = {};       ///< that answered; empty: the one that was asked for
  std::string_view output = {};      ///< items with commas between them
  std::string_view usage = {};       ///< as the model's server told it: a JSON object, or empty
  std::optional<Problem> error{};
};

/// A `response` object.
std::string response_json(const ResponseHead& head, const ResponseState& state);
/// That of a job as the Store knows it.
std::string response_json(const ResponseHead& head, const StoredJob& job);

/// What a finish reason of the messages' API says of the response: its status, and why it is
/// incomplete.
struct FinishedAs {
  std::string_view status;
  std::string_view incomplete;
};
FinishedAs finished_as(std::string_view finish_reason);

// Output items; a `status` is `in_progress`, `completed` or `incomplete`, a `text` stands as it
// does inside a JSON string.

/// What a part of an item's content holds.
enum class PartKind : std::uint8_t { text, refusal, reasoning };

std::string content_part(PartKind kind, std::string_view text);
/// `content`: its parts with commas between them.
std::string message_item(std::string_view name, std::string_view status, std::string_view content);
std::string reasoning_item(std::string_view name, std::string_view status,
                           std::string_view content);
std::string call_item(std::string_view name, std::string_view status, const ToolCall& call,
                      std::string_view arguments);

}  // namespace millrace::openai
