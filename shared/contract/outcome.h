#pragma once
#include <string>

#include "shared/contract/asides.h"
#include "shared/contract/state.h"
#include "shared/contract/tool_call.h"

namespace millrace {

/// How a job ended, as the Store keeps it: the terminal state and what its readers are told.
struct Outcome {
  JobState state = JobState::failed;  ///< terminal
  std::string text;                   ///< the answer; for `failed`, what had been said
  std::string finish_reason;          ///< `stop`, `length`, …; empty unless succeeded
  std::string model;                  ///< the model that answered
  std::string usage;  ///< a JSON object {prompt_tokens, completion_tokens, total_tokens}, or empty
  std::vector<ToolCall> tool_calls;  ///< succeeded: what the client is to run, in the model's order
  Asides asides;                     ///< succeeded: what the model said beside it
  std::string error_code;            ///< failed: a short constant (`upstream_error`, `poison`, …)
  std::string error_message;         ///< failed: what a person reads
  bool retryable = false;            ///< failed: sending it again may help
};

}  // namespace millrace
