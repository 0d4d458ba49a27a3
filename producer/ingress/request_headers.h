#pragma once
#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "producer/ingress/refusal.h"
#include "shared/contract/event.h"
#include "shared/http/message.h"

namespace millrace {

/// 400 for what would be dropped in silence: any parameter, and a second header of those that
/// count once.
std::optional<Refusal> unheard(const http::Request& request);

/// In what form jobs arrive.
enum class BodyForm : std::uint8_t { one_job, job_lines };

/// From Content-Type: `application/json`, its like with `+json` (and when there is none: browsers
/// leave it out too, but say their Origin then) or `application/x-ndjson`; 415 for anything else,
/// for a charset that is not UTF-8, and for a Content-Encoding.
std::expected<BodyForm, Refusal> body_form(const http::Request& request);
/// The same for routes that take one JSON value: 415 unless it is that, or there is no body.
std::optional<Refusal> not_json(const http::Request& request);

/// The Idempotency-Key: 1 to 255 visible ASCII characters; empty when there is none.
std::expected<std::string, Refusal> idempotency_key(const http::Request& request);

/// `Prefer: wait=N` (RFC 7240) in seconds, cut to the longest wait there is, which `wait` alone
/// asks for too; nothing when it is not asked for or not a number: a preference is never an error,
/// and `Preference-Applied` says what is done.
std::optional<std::chrono::seconds> preferred_wait(const http::Request& request);

/// `Prefer: respond-async`: the client wants the receipt, and to hear of the end elsewhere.
bool prefers_async(const http::Request& request);

/// The trace this request belongs to (contract/trace.h); empty when it names none, or is not one.
std::string traceparent(const http::Request& request);

/// Where a client that POSTs again wants its stream to go on: Last-Event-ID, 0 when there is none;
/// 400 for what is no number of an event.
std::expected<Seq, Refusal> last_event_id(const http::Request& request);

}  // namespace millrace
