#include "producer/ingress/job_request.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "producer/ingress/json_body.h"
#include "producer/ingress/limits.h"
#include "producer/ingress/message_list.h"
#include "producer/ingress/refusal.h"
#include "producer/ingress/webhook_field.h"
#include "shared/contract/raw_members.h"

namespace millrace {
namespace {

namespace dom = simdjson::dom;
using Fault = std::optional<Problem>;

constexpr std::string_view allowed_fields =
    "kind, input, model, max_tokens, temperature, session, priority, not_before, deadline_s, "
    "metadata, on_busy, tools, webhook";

/// What is being read: the job so far, and what can only be judged at the end.
struct Draft {
  Job job;
  const outbound::Guard& guard;
  std::string_view raw{};  ///< the value at hand as it was written
  Duration deadline = limits::deadline_default;
};

Fault invalid(std::string_view name, std::string detail) {
  return make_problem("invalid_field", "/" + std::string(name), std::move(detail));
}

/// A name that ends up in keys, topics and logs.
Fault read_name(dom::element value, std::string_view field, std::string& into) {
  std::string_view text;
  if (value.get(text))
    return invalid(field, "`" + std::string(field) + "` must be a string of 1 to 200 bytes.");
  if (text.empty() || text.size() > limits::name_bytes_max)
    return invalid(field, "`" + std::string(field) + "` has " + std::to_string(text.size()) +
                              " bytes; allowed are 1 to 200. Leave it out to have none.");
  const auto control = [](char c) { return static_cast<std::uint8_t>(c) < 0x20 || c == 0x7f; };
  if (std::ranges::any_of(text, control))
    return invalid(field, "`" + std::string(field) + "` must not have control characters.");
  into = text;
  return {};
}

Fault read_kind(Draft&, dom::element value) {
  std::string_view kind;
  if (value.get(kind)) return invalid("kind", "`kind` must be a string; allowed: \"chat\".");
  if (kind == "chat") return {};
  if (kind == "analysis")
    return make_problem("not_supported", "/kind",
                        "`kind` \"analysis\" needs the CSV analysis, which this version does not "
                        "have yet; allowed: \"chat\".");
  if (kind == "batch_part")
    return make_problem("not_supported", "/kind",
                        "`kind` \"batch_part\" needs the batches, which this version does not "
                        "have yet; allowed: \"chat\". Send many jobs as application/x-ndjson.");
  return invalid("kind", "`kind` is " + quoted(kind) + "; allowed: \"chat\".");
}

Fault read_input(Draft& draft, dom::element value) {
  if (auto fault = check_input(value)) return fault;
  const bool rewritten = draft.raw.size() > limits::input_bytes_max &&
                         draft.raw.size() <= ingress_limits::rewritten_input_bytes_max;
  draft.job.input = rewritten ? simdjson::minify(value) : one_line(draft.raw);
  return {};
}

Fault read_model(Draft& draft, dom::element value) {
  return read_name(value, "model", draft.job.model);
}

Fault read_session(Draft& draft, dom::element value) {
  return read_name(value, "session", draft.job.session);
}

Fault read_max_tokens(Draft& draft, dom::element value) {
  const auto count = whole_number(value).value_or(0);
  if (count < 1 || count > ingress_limits::max_tokens_max)
    return invalid("max_tokens",
                   "`max_tokens` must be a whole number from 1 to 131072; leave it "
                   "out for the default.");
  draft.job.max_tokens = static_cast<std::uint32_t>(count);
  return {};
}

Fault read_temperature(Draft& draft, dom::element value) {
  double temperature = 0;
  if (value.get(temperature) || temperature < 0 || temperature > ingress_limits::temperature_max)
    return invalid("temperature",
                   "`temperature` must be a number from 0 to 2; leave it out for "
                   "the default.");
  draft.job.temperature = temperature;
  return {};
}

Fault read_priority(Draft& draft, dom::element value) {
  std::string_view priority;
  const bool text = !value.get(priority);
  if (!text || (priority != "interactive" && priority != "bulk"))
    return invalid("priority", "`priority` must be \"interactive\" or \"bulk\".");
  draft.job.priority = priority == "bulk" ? Priority::bulk : Priority::interactive;
  return {};
}

Fault read_not_before(Draft& draft, dom::element value) {
  std::string_view text;
  if (!value.get(text)) draft.job.not_before = from_rfc3339(text);
  if (draft.job.not_before) return {};
  return invalid("not_before",
                 "`not_before` must be an RFC 3339 time such as "
                 "\"2026-01-31T09:30:00Z\"; leave it out to run at once.");
}

Fault read_deadline(Draft& draft, dom::element value) {
  constexpr double seconds_max = std::chrono::duration<double>(limits::deadline_max).count();
  double seconds = 0;
  if (value.get(seconds) || seconds <= 0 || seconds > seconds_max)
    return invalid("deadline_s",
                   "`deadline_s` must be a number of seconds above 0 and at most "
                   "604800 (7 days); leave it out for 86400 (24 hours).");
  draft.deadline = std::chrono::milliseconds(static_cast<std::int64_t>(std::ceil(seconds * 1000)));
  return {};
}

Fault read_metadata(Draft& draft, dom::element value) {
  if (!value.is_object()) return invalid("metadata", "`metadata` must be a JSON object.");
  draft.job.metadata = one_line(draft.raw);
  if (draft.job.metadata.size() > limits::metadata_bytes_max)
    return make_problem("too_large", "/metadata",
                        "`metadata` has " + std::to_string(draft.job.metadata.size()) +
                            " bytes of JSON; at most 16384 (16 KiB) are allowed. Keep larger "
                            "data elsewhere and name it here.");
  const auto twice = duplicate_member(value);
  if (!twice) return {};
  return make_problem("duplicate_field", "/metadata" + *twice,
                      "A member of `metadata` is given twice; give each name once.");
}

Fault read_on_busy(Draft& draft, dom::element value) {
  constexpr std::array<std::string_view, 4> known{"enqueue", "reject", "interrupt", "rollback"};
  std::string_view on_busy;
  const bool text = !value.get(on_busy);
  if (text && on_busy == "steer")
    return make_problem("not_supported", "/on_busy",
                        "`on_busy` \"steer\" comes with the agents, which this version does not "
                        "have yet; allowed: \"enqueue\", \"reject\", \"interrupt\", \"rollback\".");
  if (!text || std::ranges::find(known, on_busy) == known.end())
    return invalid("on_busy",
                   "`on_busy` must be \"enqueue\" (the default), \"reject\", \"interrupt\" or "
                   "\"rollback\".");
  draft.job.on_busy = on_busy;
  return {};
}

Fault read_tools(Draft&, dom::element value) {
  dom::array tools;
  if (value.get(tools)) return invalid("tools", "`tools` must be an empty list; leave it out.");
  if (tools.size() == 0) return {};
  return make_problem("not_supported", "/tools",
                      "`tools` needs the agent and its tools, which this version does not have "
                      "yet; send an empty list or leave it out.");
}

Fault read_webhook_field(Draft& draft, dom::element value) {
  const auto webhook = read_webhook(value, draft.guard);
  if (!webhook) return webhook.error();
  draft.job.envelope = R"({"webhook":)";
  append_webhook(draft.job.envelope, *webhook);
  draft.job.envelope += '}';
  return {};
}

struct Field {
  std::string_view name;
  Fault (*read)(Draft&, dom::element);
};

// The most common first: a body is matched against them in order.
constexpr std::array fields{
    Field{"input", read_input},
    Field{"model", read_model},
    Field{"max_tokens", read_max_tokens},
    Field{"session", read_session},
    Field{"temperature", read_temperature},
    Field{"metadata", read_metadata},
    Field{"priority", read_priority},
    Field{"deadline_s", read_deadline},
    Field{"not_before", read_not_before},
    Field{"kind", read_kind},
    Field{"on_busy", read_on_busy},
    Field{"tools", read_tools},
    Field{"webhook", read_webhook_field},
};

Problem unknown_field(std::string_view name) {
  return make_problem("unknown_field", pointer_step(name),
                      "The field " + quoted(name) + " is not known; allowed are " +
                          std::string(allowed_fields) + ". Own data goes into `metadata`.");
}

/// Reads each member by its field's reader, once.
Fault read_members(Draft& draft, dom::object object, std::string_view body) {
  RawMembers raw(body);
  std::uint32_t seen = 0;
  for (const auto [name, value] : object) {
    draft.raw = raw.next();
    const auto field = std::ranges::find(fields, name, &Field::name);
    if (field == fields.end()) return unknown_field(name);
    const auto bit = 1u << (field - fields.begin());
    if (seen & bit) return given_twice(pointer_step(name), name);
    seen |= bit;
    if (value.is_null() && field->name != "input") continue;
    if (auto fault = field->read(draft, value)) return fault;
  }
  if (!(seen & 1u))
    return make_problem("missing_field", "/input",
                        "`input` is required: a non-empty string, or a list of {role, content}.");
  return {};
}
static_assert(fields[0].name == "input", "read_members looks for its bit");

}  // namespace

std::expected<Job, Problem> parse_job_request(std::string_view body, WallTime now,
                                              const outbound::Guard& guard) {
  JsonBody json(body);
  const auto object =
      json.object(" with `input`; many jobs go one a line, Content-Type: application/x-ndjson");
  if (!object) return std::unexpected(object.error());

  Draft draft{.job = {}, .guard = guard};
  if (auto fault = read_members(draft, *object, json.text()))
    return std::unexpected(std::move(*fault));
  if (draft.job.session.empty() && draft.job.on_busy != "enqueue")
    return std::unexpected(*invalid("on_busy",
                                    "`on_busy` says what becomes of the jobs of a "
                                    "session; give `session`, or leave it out."));
  draft.job.created_at = now;
  draft.job.deadline = now + std::chrono::duration_cast<std::chrono::milliseconds>(draft.deadline);
  if (draft.job.not_before && *draft.job.not_before >= draft.job.deadline)
    return std::unexpected(*invalid("not_before", "`not_before` is not before the deadline, " +
                                                      to_rfc3339(draft.job.deadline) +
                                                      "; raise `deadline_s` (at most 604800) "
                                                      "or choose an earlier time."));
  return std::move(draft.job);
}

}  // namespace millrace
