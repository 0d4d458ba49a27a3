#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/contract/asides.h"
#include "shared/contract/job.h"
#include "shared/contract/tool_call.h"
#include "shared/runtime/task.h"
#include "shared/runtime/time.h"

namespace millrace {

/// One turn asked of a model.
struct ChatTurn {
  const Job& job;
  std::string_view prefix;  ///< text already said: go on after it (prefill); empty: from the start
  std::uint32_t prefix_pieces = 0;  ///< in how many chunks it came: at most as many tokens are left
                                    ///< of `max_tokens` as this leaves
};

/// How a turn ended well: the model said so.
struct ChatEnd {
  std::string finish_reason;           ///< `stop`, `length`, `tool_calls`, …
  std::string model;                   ///< as the server names it
  std::string usage;                   ///< the server's JSON object, or empty
  std::vector<ToolCall> tool_calls{};  ///< what the client is to run; each has an id and a name
  Asides asides{};                     ///< what was said beside the text
};

/// How a turn failed: data for verdict_for and for the client.
struct ChatFailure {
  std::string code;     ///< short constant: `upstream_unavailable`, `upstream_cut`, …
  std::string message;  ///< names what happened, for a person
  bool retryable = false;
  std::optional<Duration> retry_after = {};  ///< the upstream's own wish
};

/// Takes a turn's text as it comes, on the same loop. Must not block.
class TextSink {
 public:
  virtual ~TextSink() = default;
  /// One upstream chunk. False: no room now; the model stops reading until `ready` was awaited.
  virtual bool on_text(std::string_view piece) = 0;
  /// The same, of what is said beside the text.
  virtual bool on_aside(Aside kind, std::string_view piece) = 0;
  virtual Task<> ready() = 0;
};

/// A model that streams. Cancelling the task closes the upstream socket at once.
class ChatModel {
 public:
  virtual ~ChatModel() = default;
  /// Nothing that ends without a finish reason or `[DONE]` is success; garbage, half a UTF-8
  /// character at the end and endless streams are failures with a clear message.
  virtual Task<std::expected<ChatEnd, ChatFailure>> stream(const ChatTurn& turn,
                                                           TextSink& sink) = 0;
};

}  // namespace millrace
