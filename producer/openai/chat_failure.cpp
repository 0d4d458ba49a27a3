#include "producer/openai/chat_failure.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <string>

#include "shared/contract/event.h"

namespace millrace::openai {
namespace {

struct Status {
  std::string_view code;
  int status;
};

// What is not named here is 502: the model's server is at fault, or cannot be used.
constexpr std::array statuses{
    Status{"upstream_refused", 400}, Status{"upstream_not_found", 404},
    Status{"upstream_busy", 429},    Status{"upstream_unavailable", 503},
    Status{"upstream_timeout", 504}, Status{"input_missing", 500},
    Status{"input_corrupt", 500},    Status{"unknown_kind", 500},
    Status{"poison", 500},
};

Problem told(int status, std::string code, std::string detail) {
  return {.status = status,
          .code = std::move(code),
          .title = {},
          .detail = std::move(detail),
          .field = {}};
}

}  // namespace

Problem failure_of(const Outcome& outcome) {
  if (outcome.state == JobState::cancelled)
    return told(409, "cancelled", "The request was cancelled before its answer was whole.");
  if (outcome.state == JobState::expired)
    return told(504, "expired", "The request's deadline passed before its answer was whole.");
  const auto known = std::ranges::find(statuses, outcome.error_code, &Status::code);
  return told(known == statuses.end() ? 502 : known->status, outcome.error_code,
              outcome.error_message);
}

Problem failure_told(std::string_view type, std::string_view json) {
  Outcome outcome;
  if (type == "cancelled") outcome.state = JobState::cancelled;
  if (type == "expired") outcome.state = JobState::expired;
  simdjson::dom::parser parser;
  simdjson::dom::element event;
  if (type == "error" && !parser.parse(json.data(), json.size()).get(event)) {
    std::string_view text;
    if (!event["code"].get(text)) outcome.error_code = text;
    if (!event["message"].get(text)) outcome.error_message = text;
  }
  return failure_of(outcome);
}

Problem stream_restarted() {
  return told(502, "stream_restarted",
              "The answer was cut off and begins anew with other words, which a stream of this "
              "kind cannot take back. Ask again.");
}

Problem stream_lost() {
  return told(
      503, "stream_lost",
      "The rest of the answer cannot be read: it was read too slowly, or it is not kept any "
      "more.");
}

Problem answer_too_late() {
  return told(504, "timeout",
              "There was no answer within 590 seconds, and nobody waits longer for one that is not "
              "streamed. Ask with \"stream\": true, or submit a job and come back for it.");
}

}  // namespace millrace::openai
