#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "shared/contract/state.h"
#include "shared/runtime/ids.h"
#include "shared/runtime/time.h"

namespace millrace {

/// A bit for a terminal state.
constexpr std::uint8_t end_bit(JobState state) {
  return static_cast<std::uint8_t>(1u << static_cast<unsigned>(state));
}
inline constexpr std::uint8_t every_end = end_bit(JobState::succeeded) | end_bit(JobState::failed) |
                                          end_bit(JobState::cancelled) | end_bit(JobState::expired);

/// Whom a job's end is told to, and which ends.
struct Webhook {
  std::string url;
  std::uint8_t ends = every_end;
  bool operator==(const Webhook&) const = default;
};

/// `job.succeeded`, `job.failed`, `job.cancelled`, `job.expired`; empty for a state that is no end.
std::string_view end_event(JobState state);
std::optional<JobState> end_of_event(std::string_view name);

/// Whoever runs a job has no use for its webhook, so a Job has it in its envelope alone. Nothing
/// for an envelope that names none. Events that are not known are of a newer build.
std::optional<Webhook> webhook_in(std::string_view envelope);

/// As the envelope has it: `{"url":…}`, with `"events":[…]` unless it is every end.
void append_webhook(std::string& out, const Webhook& webhook);

/// The name of the one message about a job's end (`webhook-id`): `msg_` and the id's 32 digits.
/// Whoever gets it twice may know it by that.
std::string webhook_id(const JobId& job);
std::optional<JobId> job_of_webhook(std::string_view id);

/// Where a URL's requests go, `host[:port]` in lower case: what a bound on one receiver counts.
std::string webhook_host(std::string_view url);

/// A secret as a person is given it: `whsec_` and the base64 of its bytes.
std::string webhook_secret(std::string_view bytes);

/// `webhook-signature` as the Standard Webhooks specification 1.0.0 has it: `v1,` and the base64 of
/// HMAC-SHA256(secret, id.timestamp.body), for each of the `whsec_…` in its order, a blank between.
std::string webhook_signature(std::span<const std::string> secrets, std::string_view id,
                              std::chrono::seconds since_1970, std::string_view body);

}  // namespace millrace
