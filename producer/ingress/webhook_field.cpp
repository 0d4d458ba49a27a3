#include "producer/ingress/webhook_field.h"

#include "producer/ingress/message_list.h"
#include "producer/ingress/refusal.h"

namespace millrace {
namespace {

namespace dom = simdjson::dom;
using Fault = std::optional<Problem>;

constexpr std::string_view allowed_events =
    "\"job.succeeded\", \"job.failed\", \"job.cancelled\", \"job.expired\"";

Problem invalid(std::string field, std::string detail) {
  return make_problem("invalid_field", std::move(field), std::move(detail));
}

Fault read_url(dom::element value, std::string field, const outbound::Guard& guard, Webhook& into) {
  std::string_view url;
  if (value.get(url))
    return invalid(field,
                   "The URL of `webhook` must be a string, such as "
                   "\"https://example.com/hooks/millrace\".");
  const auto fault = guard.fault(url);
  if (fault) return invalid(field, "The URL of `webhook` " + *fault + ".");
  into.url = url;
  return {};
}

Fault read_events(dom::element value, Webhook& into) {
  dom::array events;
  if (value.get(events) || events.size() == 0)
    return invalid("/webhook/events", "`events` must be a list of at least one of " +
                                          std::string(allowed_events) +
                                          "; leave it out to hear of every end.");
  into.ends = 0;
  std::size_t at = 0;
  for (const auto event : events) {
    std::string_view name;
    const bool text = !event.get(name);
    const auto end = text ? end_of_event(name) : std::nullopt;
    const std::string field = "/webhook/events/" + std::to_string(at++);
    if (!end)
      return invalid(field, "The event " + (text ? quoted(name) : "of this place") +
                                " is not known; allowed are " + std::string(allowed_events) + ".");
    if (into.ends & end_bit(*end))
      return make_problem("duplicate_field", field, "The event is given twice; give each once.");
    into.ends |= end_bit(*end);
  }
  return {};
}

Fault read_member(std::string_view name, dom::element value, const outbound::Guard& guard,
                  Webhook& into) {
  if (name == "url") return read_url(value, "/webhook/url", guard, into);
  if (name == "events") return value.is_null() ? Fault() : read_events(value, into);
  return make_problem(
      "unknown_field", "/webhook" + pointer_step(name),
      "The member " + quoted(name) + " of `webhook` is not known; allowed are url, events.");
}

}  // namespace

std::expected<Webhook, Problem> read_webhook(dom::element value, const outbound::Guard& guard) {
  Webhook webhook;
  dom::object object;
  if (value.get(object)) {
    if (!value.is_string())
      return std::unexpected(
          invalid("/webhook", "`webhook` must be a URL, or {\"url\", \"events\"}."));
    if (auto fault = read_url(value, "/webhook", guard, webhook)) return std::unexpected(*fault);
    return webhook;
  }
  bool url_given = false;
  bool events_given = false;
  for (const auto [name, member] : object) {
    bool& given = name == "url" ? url_given : events_given;
    if (auto fault = read_member(name, member, guard, webhook)) return std::unexpected(*fault);
    if (given)
      return std::unexpected(make_problem("duplicate_field", "/webhook" + pointer_step(name),
                                          "A member of `webhook` is given twice; give it once."));
    given = true;
  }
  if (url_given) return webhook;
  return std::unexpected(
      make_problem("missing_field", "/webhook/url", "`webhook` must have a `url`."));
}

}  // namespace millrace
