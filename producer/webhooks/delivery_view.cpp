#include "producer/webhooks/delivery_view.h"

#include <algorithm>

#include "shared/contract/webhook.h"
#include "shared/runtime/json_members.h"
#include "shared/runtime/json_text.h"

namespace millrace {
namespace {

void append_count(std::string& out, std::string_view name, std::uint64_t number) {
  append_member_name(out, name);
  append_number(out, number);
}

void append_status(std::string& out, std::string_view name, int status) {
  if (status > 0) return append_count(out, name, static_cast<std::uint64_t>(status));
  append_member_name(out, name);
  out += "null";
}

std::string attempt_json(const WebhookAttempt& attempt) {
  std::string out = "{";
  append_count(out, "attempt", attempt.number);
  append_member_time(out, "at", attempt.at);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(attempt.took);
  append_count(out, "duration_ms",
               static_cast<std::uint64_t>(std::max<std::int64_t>(ms.count(), 0)));
  append_status(out, "status", attempt.status);
  append_member_or_null(out, "error", attempt.error);
  return out += '}';
}

}  // namespace

std::string delivery_json(const WebhookDelivery& delivery) {
  std::string out = "{";
  append_member(out, "id", webhook_id(delivery.job));
  append_member(out, "job", delivery.job.str());
  append_member(out, "type", end_event(delivery.ended_as));
  append_member(out, "url", delivery.url);
  append_member(out, "state", to_string(delivery.state));
  append_count(out, "attempts", delivery.attempts);
  append_member_time(out, "created_at", delivery.created_at);
  append_member_time(out, "next_attempt_at", delivery.next_at);
  append_member_time(out, "ended_at", delivery.settled_at);
  append_status(out, "last_status", delivery.last_status);
  append_member_or_null(out, "last_error", delivery.last_error);
  return out += '}';
}

std::string history_json(const WebhookHistory& history) {
  std::string out = delivery_json(history.delivery);
  out.pop_back();
  out += R"(,"history":[)";
  for (const auto& attempt : history.attempts) {
    if (&attempt != &history.attempts.front()) out += ',';
    out += attempt_json(attempt);
  }
  return out += "]}";
}

std::string delivery_list_json(const std::vector<WebhookDelivery>& deliveries, std::size_t limit) {
  const std::size_t shown = std::min(deliveries.size(), limit);
  std::string out = R"({"data":[)";
  for (std::size_t i = 0; i < shown; ++i) {
    if (i > 0) out += ',';
    out += delivery_json(deliveries[i]);
  }
  const bool more = deliveries.size() > shown;
  out += more ? R"(],"has_more":true)" : R"(],"has_more":false)";
  append_member_or_null(out, "next", more ? webhook_id(deliveries[shown - 1].job) : "");
  return out += '}';
}

std::string secrets_json(const std::vector<std::string>& secrets) {
  std::string out = "{";
  append_member_or_null(out, "secret", secrets.empty() ? "" : secrets.front());
  append_member_or_null(out, "previous", secrets.size() < 2 ? "" : secrets[1]);
  return out += '}';
}

}  // namespace millrace
