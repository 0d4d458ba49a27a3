#pragma once
#include <string>
#include <string_view>

#include "producer/relay/sse.h"
#include "shared/contract/outcome.h"
#include "shared/http/message.h"
#include "shared/store.h"

namespace millrace::conversations {

/// An answer in one piece: `{"content","session_id","message_id","token_usage"}`.
std::string answer_json(const StoredJob& job, std::string_view session);

/// The status and the sentence of a job that ended without an answer.
http::Response without_answer(const Outcome& outcome);

/// How a job ended, as its terminal event says it.
struct AnswerEnd {
  bool answered = false;
  std::string content;        ///< the whole text
  std::string finish_reason;  ///< answered: `stop`, `length`, …
  std::string token_usage;    ///< a JSON object, or empty
  std::string code;           ///< no answer: `interrupted`, `expired`, or the event's
  std::string words;          ///< no answer: the sentence of `without_answer`
};
AnswerEnd answer_end(const relay::Frame& terminal);

}  // namespace millrace::conversations
