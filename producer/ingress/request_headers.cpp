#include "producer/ingress/request_headers.h"

#include <algorithm>
#include <charconv>

#include "producer/ingress/limits.h"
#include "shared/contract/trace.h"
#include "shared/http/one_meaning.h"

namespace millrace {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// Takes what stands before `separator`, or all, off the front.
std::string_view take_part(std::string_view& text, char separator) {
  const auto end = std::min(text.find(separator), text.size());
  const auto part = trimmed(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

bool same_word(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view unquoted(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return text;
  return text.substr(1, text.size() - 2);
}

Refusal wrong_type(std::string_view type, std::string_view allowed) {
  return refuse("unsupported_media_type", "Content-Type",
                "Content-Type is " + quoted(type) + "; allowed " + std::string(allowed) +
                    " in UTF-8. Send it: with curl, which calls a body a form, by -H "
                    "'Content-Type: application/json'.");
}

/// A structured syntax suffix (RFC 6839) says JSON as well.
bool is_json(std::string_view type) {
  constexpr std::string_view tree = "application/";
  constexpr std::string_view suffix = "+json";
  if (same_word(type, "application/json")) return true;
  return type.size() > tree.size() + suffix.size() &&
         same_word(type.substr(0, tree.size()), tree) &&
         same_word(type.substr(type.size() - suffix.size()), suffix);
}

template <class Number>
std::optional<Number> whole_number(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::optional<Refusal> unheard(const http::Request& request) {
  auto found = http::header_given_twice(
      request, {"Content-Type", "Content-Encoding", "Idempotency-Key", "Last-Event-ID"});
  if (!found) found = http::unheard_parameter(request, {});
  if (!found) return std::nullopt;
  return refuse("invalid_parameter", std::move(found->name), std::move(found->detail));
}

std::expected<BodyForm, Refusal> body_form(const http::Request& request) {
  constexpr std::string_view allowed =
      "are application/json (one job) and application/x-ndjson (one job a line), both";
  const auto encoding = trimmed(request.header("content-encoding"));
  if (!encoding.empty() && !same_word(encoding, "identity"))
    return std::unexpected(refuse("unsupported_media_type", "Content-Encoding",
                                  "Content-Encoding is " + quoted(encoding) +
                                      "; bodies are taken only as they are: send it uncompressed, "
                                      "without this header."));
  const auto header = request.header("content-type");
  if (header.empty() || header == "application/json") return BodyForm::one_job;
  std::string_view rest = header;
  const auto type = take_part(rest, ';');
  while (!rest.empty()) {
    std::string_view value = take_part(rest, ';');
    const auto name = take_part(value, '=');
    if (same_word(name, "charset") && !same_word(unquoted(value), "utf-8"))
      return std::unexpected(wrong_type(header, allowed));
  }
  if (is_json(type)) return BodyForm::one_job;
  if (same_word(type, "application/x-ndjson")) return BodyForm::job_lines;
  return std::unexpected(wrong_type(header, allowed));
}

std::optional<Refusal> not_json(const http::Request& request) {
  if (request.body.empty()) return std::nullopt;
  const auto form = body_form(request);
  if (form && *form == BodyForm::one_job) return std::nullopt;
  if (!form && form.error().problem.field == "Content-Encoding") return form.error();
  return wrong_type(request.header("content-type"), "is application/json");
}

std::expected<std::string, Refusal> idempotency_key(const http::Request& request) {
  const auto given = [](const auto& header) { return header.first == "idempotency-key"; };
  const auto found = std::ranges::find_if(request.headers, given);
  if (found == request.headers.end()) return std::string();
  const auto visible = [](char c) { return c > 0x20 && c < 0x7f; };
  const std::string& key = found->second;
  if (!key.empty() && key.size() <= ingress_limits::idempotency_key_bytes_max &&
      std::ranges::all_of(key, visible))
    return key;
  return std::unexpected(refuse(
      "invalid_parameter", "Idempotency-Key",
      "Idempotency-Key has " + std::to_string(key.size()) +
          " bytes; it must be 1 to 255 visible ASCII characters without spaces, such as a UUID."));
}

std::optional<std::chrono::seconds> preferred_wait(const http::Request& request) {
  std::string_view rest = request.header("prefer");
  while (!rest.empty()) {
    std::string_view value = take_part(rest, ',');
    value = take_part(value, ';');
    const auto name = take_part(value, '=');
    if (!same_word(name, "wait")) continue;
    constexpr std::chrono::seconds longest = limits::wait_preference_max;
    if (value.empty()) return longest;
    const auto seconds = whole_number<std::uint32_t>(unquoted(value));
    if (!seconds) return std::nullopt;
    return std::min(std::chrono::seconds(*seconds), longest);
  }
  return std::nullopt;
}

bool prefers_async(const http::Request& request) {
  std::string_view rest = request.header("prefer");
  while (!rest.empty()) {
    std::string_view value = take_part(rest, ',');
    if (same_word(take_part(value, ';'), "respond-async")) return true;
  }
  return false;
}

std::string traceparent(const http::Request& request) {
  return read_traceparent(request.header("traceparent")).value_or("");
}

std::expected<Seq, Refusal> last_event_id(const http::Request& request) {
  const auto header = request.header("last-event-id");
  if (header.empty()) return Seq{0};
  const auto seq = whole_number<Seq>(header);
  if (seq && *seq <= Seq{1} << 53) return *seq;
  return std::unexpected(
      refuse("invalid_parameter", "Last-Event-ID",
             "Last-Event-ID is " + quoted(header) +
                 "; allowed is the id of an event of this job: a number from 0 to 2^53."));
}

}  // namespace millrace
