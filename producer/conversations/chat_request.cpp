#include "producer/conversations/chat_request.h"

#include <algorithm>
#include <array>
#include <span>

#include "producer/ingress/job_request.h"
#include "producer/ingress/json_body.h"
#include "producer/ingress/limits.h"
#include "shared/contract/raw_members.h"
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
  std::string_view known{};  ///< features
  std::string_view raw{};    ///< the value at hand as it was written
};

/// One that a session can have.
bool read_id(dom::element value, std::string_view& id) {
  const auto control = [](char c) { return static_cast<std::uint8_t>(c) < 0x20 || c == 0x7f; };
  return !value.get(id) && !id.empty() && id.size() <= limits::name_bytes_max &&
         std::ranges::none_of(id, control);
}

Fault read_session(Draft& draft, dom::element value) {
  std::string_view text;
  if (!read_id(value, text))
    return wrong("session_id", "It must be the id of a session, as POST /api/sessions gives it.");
  draft.asked.session = text;
  return std::nullopt;
}

Fault read_said(Draft& draft, dom::element value, const char* field) {
  std::string_view text;
  if (value.get(text) || text.find_first_not_of(" \t\r\n") == text.npos)
    return wrong(field, "It must be a text that says something.");
  draft.asked.message = text;
  draft.asked.message_field = field;
  return std::nullopt;
}

Fault read_message(Draft& draft, dom::element value) {
  return read_said(draft, value, "message");
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

Fault read_on_busy(Draft& draft, dom::element value) {
  std::string_view text;
  if (value.get(text))
    return wrong("on_busy", "It must be a text: enqueue, reject, interrupt or rollback.");
  draft.asked.on_busy = text;
  return std::nullopt;
}

Fault read_question(Draft& draft, dom::element value) {
  return read_said(draft, value, "question");
}

/// A session of this name may be made, so it must be one that can be.
Fault read_own_session(Draft& draft, dom::element value) {
  std::string_view text;
  if (!read_id(value, text))
    return wrong("session_id",
                 "It must be a text of 1 to 200 bytes without control characters; leave it out "
                 "for a new session.");
  draft.asked.session = text;
  return std::nullopt;
}

bool listed(std::string_view name, std::string_view names) {
  while (!names.empty()) {
    const auto end = std::min(names.find(','), names.size());
    if (names.substr(0, end) == name) return true;
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return false;
}

Fault read_features(Draft& draft, dom::element value) {
  dom::object features;
  if (value.get(features))
    return wrong("features", "It must be an object of numbers by the name of the feature.");
  for (const auto [name, feature] : features) {
    const std::string field = "features." + std::string(name.substr(0, 100));
    double number = 0;
    if (!draft.known.empty() && !listed(name, draft.known))
      return wrong(field, "There is no such feature; known: " + std::string(draft.known));
    if (feature.get(number)) return wrong(field, "It must be a number.");
  }
  draft.asked.features = one_line(draft.raw);
  if (draft.asked.features.size() > limits::metadata_bytes_max)
    return wrong("features", "They have " + std::to_string(draft.asked.features.size()) +
                                 " bytes; allowed: " + std::to_string(limits::metadata_bytes_max));
  return std::nullopt;
}

struct Field {
  std::string_view name;
  Fault (*read)(Draft&, dom::element);
};
// The required ones first.
constexpr std::array message_fields{
    Field{"session_id", read_session},    Field{"message", read_message},
    Field{"max_new_tokens", read_tokens}, Field{"temperature", read_temperature},
    Field{"do_sample", read_do_sample},   Field{"on_busy", read_on_busy}};
constexpr std::array question_fields{
    Field{"question", read_question}, Field{"features", read_features},
    Field{"session_id", read_own_session}, Field{"on_busy", read_on_busy}};

/// The fields of one form of body; so many of them, the first, must be given.
struct Form {
  std::span<const Field> fields;
  std::size_t required;
};
constexpr Form message_form{message_fields, 2};
constexpr Form question_form{question_fields, 1};

std::string names_of(const Form& form) {
  std::string names;
  for (const auto& field : form.fields) names.append(names.empty() ? "" : ", ").append(field.name);
  return names;
}

Fault read_members(Draft& draft, const Form& form, dom::object object, std::string_view body) {
  RawMembers raw(body);
  std::uint32_t seen = 0;
  for (const auto [name, value] : object) {
    draft.raw = raw.next();
    std::size_t at = 0;
    while (at < form.fields.size() && form.fields[at].name != name) ++at;
    if (at == form.fields.size())
      return Refusal{not_known(std::string(name.substr(0, 100)), name, names_of(form)), {}, {}};
    if (seen & (1u << at)) return Refusal{given_twice(std::string(name), name), {}, {}};
    seen |= 1u << at;
    const bool left_out = value.is_null() && at >= form.required;
    if (left_out) continue;
    if (auto fault = form.fields[at].read(draft, value)) return fault;
  }
  for (std::size_t at = 0; at < form.required; ++at)
    if (!(seen & (1u << at)))
      return refuse("missing_field", std::string(form.fields[at].name), "It must be given.");
  return std::nullopt;
}

std::expected<ChatAsked, Refusal> parse(const std::string& body, const Form& form, Draft draft) {
  JsonBody json(body);
  const auto object = json.object(" with `" + std::string(form.fields.front().name) + "`");
  if (!object) return std::unexpected(Refusal{object.error(), {}, {}});
  if (auto fault = read_members(draft, form, *object, json.text()))
    return std::unexpected(std::move(*fault));
  if (!draft.do_sample) draft.asked.temperature = 0;
  return std::move(draft.asked);
}

/// What the model is asked: a question with the values it is about.
std::string words_of(const ChatAsked& asked) {
  if (asked.features.empty() || asked.features == "{}") return asked.message;
  return asked.message + "\n\n공정 파라미터: " + asked.features;
}

}  // namespace

std::expected<ChatAsked, Refusal> parse_chat(const std::string& body) {
  return parse(body, message_form, {});
}

std::expected<ChatAsked, Refusal> parse_question(const std::string& body, std::string_view known) {
  return parse(body, question_form, {.asked = {}, .known = known});
}

bool asks_question(const std::string& body) {
  JsonBody json(body);
  dom::element question;
  dom::element message;
  const auto object = json.object("");
  return object && !(*object)["question"].get(question) && (*object)["message"].get(message);
}

Refusal in_words_of(const ChatAsked& asked, Refusal refusal) {
  std::string& field = refusal.problem.field;
  if (field == "/input")
    field = asked.message_field;
  else if (field == "/session")
    field = "session_id";
  else if (field == "/max_tokens")
    field = "max_new_tokens";
  else if (field.starts_with('/'))
    field.erase(0, 1);
  return refusal;
}

std::expected<Job, Refusal> chat_job(const ChatAsked& asked, SessionContext context, WallTime now) {
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
  if (!asked.on_busy.empty()) {
    body += R"(,"on_busy":)";
    append_json_string(body, asked.on_busy);
  }
  body += R"(,"input":)";
  append_json_string(body, words_of(asked));
  auto job = parse_job_request(body + "}", now);
  if (!job) return std::unexpected(in_words_of(asked, Refusal{std::move(job.error()), {}, {}}));
  job->context = context;
  return std::move(*job);
}

}  // namespace millrace::conversations
