#include "producer/conversations/chat_request.h"

#include <array>

#include "producer/ingress/job_request.h"
#include "producer/ingress/json_body.h"
#include "producer/ingress/limits.h"
#include "shared/contract/any_json.h"
#include "shared/runtime/json_text.h"
#include "shared/runtime/limits.h"

namespace millrace::conversations {
namespace {

namespace dom = simdjson::dom;

using ingress_limits::max_tokens_max;
using ingress_limits::temperature_max;

using Fault = std::optional<Refusal>;

Fault wrong(std::string field, std::string detail) {
  return refuse("invalid_field", std::move(field), std::move(detail));
}

struct Draft {
  ChatAsked asked;
  bool do_sample = true;
};

Fault read_session(Draft& draft, dom::element value) {
  std::string_view text;
  if (value.get(text) || text.empty() || text.size() > limits::name_bytes_max)
    return wrong("session_id", "It must be the id of a session, as POST /api/sessions gives it.");
  draft.asked.session = text;
  return std::nullopt;
}

Fault read_message(Draft& draft, dom::element value) {
  std::string_view text;
  if (value.get(text) || text.find_first_not_of(" \t\r\n") == text.npos)
    return wrong("message", "It must be a text that says something.");
  draft.asked.message = text;
  return std::nullopt;
}

Fault read_tokens(Draft& draft, dom::element value) {
  const auto number = whole_number(value).value_or(0);
  if (number < 1 || number > max_tokens_max)
    return wrong("max_new_tokens",
                 "It must be a whole number from 1 to " + std::to_string(max_tokens_max) + ".");
  draft.asked.max_new_tokens = static_cast<std::uint32_t>(number);
  return std::nullopt;
}

Fault read_temperature(Draft& draft, dom::element value) {
  double number = 0;
  if (value.get(number) || number < 0 || number > temperature_max)
    return wrong("temperature", "It must be a number from 0 to 2.");
  draft.asked.temperature = number;
  return std::nullopt;
}

Fault read_do_sample(Draft& draft, dom::element value) {
  if (value.get(draft.do_sample)) return wrong("do_sample", "It must be true or false.");
  return std::nullopt;
}

struct Field {
  std::string_view name;
  Fault (*read)(Draft&, dom::element);
};
constexpr std::array fields{Field{"session_id", read_session}, Field{"message", read_message},
                            Field{"max_new_tokens", read_tokens},
                            Field{"temperature", read_temperature},
                            Field{"do_sample", read_do_sample}};

Fault read_members(Draft& draft, dom::object object) {
  std::uint32_t seen = 0;
  for (const auto [name, value] : object) {
    std::size_t at = 0;
    while (at < fields.size() && fields[at].name != name) ++at;
    if (at == fields.size())
      return wrong(std::string(name.substr(0, 100)),
                   "There is no such field; allowed: session_id, message, max_new_tokens, "
                   "temperature, do_sample.");
    if (seen & (1u << at)) return wrong(std::string(name), "It is given twice; give it once.");
    seen |= 1u << at;
    const bool left_out = value.is_null() && at > 1;
    if (left_out) continue;
    if (auto fault = fields[at].read(draft, value)) return fault;
  }
  for (std::size_t at = 0; at < 2; ++at)
    if (!(seen & (1u << at)))
      return refuse("missing_field", std::string(fields[at].name), "It must be given.");
  return std::nullopt;
}

}  // namespace

std::expected<ChatAsked, Refusal> parse_chat(const std::string& body) {
  dom::parser parser;
  dom::element root;
  dom::object object;
  if (parse_any_json(parser, body, root) != simdjson::SUCCESS)
    return std::unexpected(refuse("invalid_json", "body", "The body is not valid JSON."));
  if (root.get(object) != simdjson::SUCCESS)
    return std::unexpected(*wrong("body", "The body must be a JSON object."));
  Draft draft;
  if (auto fault = read_members(draft, object)) return std::unexpected(std::move(*fault));
  if (!draft.do_sample) draft.asked.temperature = 0;
  return std::move(draft.asked);
}

std::expected<Job, Refusal> chat_job(const ChatAsked& asked, std::uint32_t context_messages,
                                     WallTime now) {
  std::string body = R"({"session":)";
  append_json_string(body, asked.session);
  if (asked.max_new_tokens) {
    body += R"(,"max_tokens":)";
    append_number(body, std::uint64_t{*asked.max_new_tokens});
  }
  if (asked.temperature) {
    body += R"(,"temperature":)";
    append_number(body, *asked.temperature);
  }
  body += R"(,"input":)";
  append_json_string(body, asked.message);
  auto job = parse_job_request(body + "}", now);
  if (!job) return std::unexpected(Refusal{std::move(job.error()), {}, {}});
  job->context = SessionContext{.messages = context_messages};
  return std::move(*job);
}

}  // namespace millrace::conversations
