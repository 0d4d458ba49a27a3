#pragma once
#include <string>
#include <string_view>

#include "workers/llm/chat_model.h"

namespace millrace {

/// What a job that does not say it gets.
struct ModelDefaults {
  std::string model = "default";
  std::uint32_t max_tokens = 256;
  double temperature = 0.7;
  std::string prefill_body;  ///< a JSON object merged into a request that has a prefix, or empty
};

/// The body of `POST …/v1/chat/completions` for a turn: the job's input as it stands, and the
/// prefix as (the rest of) a trailing assistant message.
std::string chat_request(const ChatTurn& turn, const ModelDefaults& defaults);

/// `…/v1/chat/completions` below a base that may end in `/v1`, `/`, or neither.
std::string completions_url(std::string_view base);

/// Why this is no usable prefill body; empty when it is (or is empty).
std::string prefill_body_fault(std::string_view json);

}  // namespace millrace
