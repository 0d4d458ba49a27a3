#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "producer/ingress/refusal.h"
#include "shared/contract/job.h"

namespace millrace::conversations {

/// `POST /api/chat {"session_id","message","max_new_tokens","temperature","do_sample","on_busy"}`.
struct ChatAsked {
  std::string session;
  std::string message;
  std::optional<std::uint32_t> max_new_tokens;  ///< left out: the worker's default
  std::optional<double> temperature;            ///< 0 where `do_sample` is false
  std::string on_busy;                          ///< empty: enqueue
  std::string features;                         ///< a JSON object for the model alone, or empty
  std::string_view message_field = "message";   ///< how the body calls it: that or `question`
};

/// Reads the body. An unknown field is refused by name.
std::expected<ChatAsked, Refusal> parse_chat(const std::string& body);

/// True for a body with a `question`, which its clients send in the place of a `message`.
bool asks_question(const std::string& body);

/// `{"question","features","session_id","on_busy"}`. Features are numbers by name; with `known`
/// names, separated by commas, any other is refused. No session: empty.
std::expected<ChatAsked, Refusal> parse_question(const std::string& body, std::string_view known);

/// A refusal of the job that was made of it, with the field as its body calls it: `/input` of the
/// job is its `message`, `/session` its `session_id`.
Refusal in_words_of(const ChatAsked& asked, Refusal refusal);

/// The job that answers it: its input is the message alone, to which whoever runs it adds what was
/// said before, as `context` says. No id yet.
std::expected<Job, Refusal> chat_job(const ChatAsked& asked, SessionContext context, WallTime now);

}  // namespace millrace::conversations
