#include "shared/contract/webhook.h"

#include <simdjson.h>

#include <algorithm>
#include <array>

#include "shared/contract/any_json.h"
#include "shared/runtime/hmac.h"
#include "shared/runtime/json_text.h"

namespace millrace {
namespace {

struct End {
  JobState state;
  std::string_view event;
};
constexpr std::array ends{
    End{JobState::succeeded, "job.succeeded"},
    End{JobState::failed, "job.failed"},
    End{JobState::cancelled, "job.cancelled"},
    End{JobState::expired, "job.expired"},
};

constexpr std::string_view id_prefix = "msg_";
constexpr std::string_view secret_prefix = "whsec_";

}  // namespace

std::string_view end_event(JobState state) {
  const auto found = std::ranges::find(ends, state, &End::state);
  return found == ends.end() ? std::string_view() : found->event;
}

std::optional<JobState> end_of_event(std::string_view name) {
  const auto found = std::ranges::find(ends, name, &End::event);
  if (found == ends.end()) return std::nullopt;
  return found->state;
}

std::optional<Webhook> webhook_in(std::string_view envelope) {
  // It stands near the end, and most have none.
  if (envelope.rfind(R"("webhook")") == std::string_view::npos) return std::nullopt;
  thread_local simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::object given;
  std::string_view url;
  const bool named = !parse_any_json(parser, envelope, root) && !root["webhook"].get(given) &&
                     !given["url"].get(url) && !url.empty();
  if (!named) return std::nullopt;
  Webhook webhook{.url = std::string(url)};
  simdjson::dom::array events;
  if (given["events"].get(events)) return webhook;
  webhook.ends = 0;
  for (const auto event : events) {
    std::string_view name;
    const auto end = event.get(name) ? std::nullopt : end_of_event(name);
    if (end) webhook.ends |= end_bit(*end);
  }
  return webhook;
}

void append_webhook(std::string& out, const Webhook& webhook) {
  out += R"({"url":)";
  append_json_string(out, webhook.url);
  if (webhook.ends != every_end) {
    std::string events;
    for (const auto& end : ends) {
      if ((webhook.ends & end_bit(end.state)) == 0) continue;
      if (!events.empty()) events += ',';
      append_json_string(events, end.event);
    }
    out.append(R"(,"events":[)").append(events).append("]");
  }
  out += '}';
}

std::string webhook_id(const JobId& job) {
  return std::string(id_prefix) +
         to_hex({reinterpret_cast<const char*>(job.bytes.data()), job.bytes.size()});
}

std::optional<JobId> job_of_webhook(std::string_view id) {
  if (!id.starts_with(id_prefix) || id.size() != id_prefix.size() + 32) return std::nullopt;
  std::string dashed(id.substr(id_prefix.size()));
  for (const std::size_t at : {20, 16, 12, 8}) dashed.insert(at, "-");
  const auto job = JobId::parse(dashed);
  if (!job || webhook_id(*job) != id) return std::nullopt;
  return job;
}

std::string webhook_host(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  std::string host(url.substr(0, url.find_first_of("/?")));
  for (char& c : host)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return host;
}

std::string webhook_secret(std::string_view bytes) {
  return std::string(secret_prefix) + to_base64(bytes);
}

std::string webhook_signature(std::span<const std::string> secrets, std::string_view id,
                              std::chrono::seconds since_1970, std::string_view body) {
  std::string text(id);
  text.append(".").append(std::to_string(since_1970.count())).append(".").append(body);
  std::string signatures;
  for (std::string_view secret : secrets) {
    if (secret.starts_with(secret_prefix)) secret.remove_prefix(secret_prefix.size());
    if (!signatures.empty()) signatures += ' ';
    signatures.append("v1,").append(to_base64(hmac_sha256(from_base64(secret), text)));
  }
  return signatures;
}

}  // namespace millrace
