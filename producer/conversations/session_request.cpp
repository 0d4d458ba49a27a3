#include "producer/conversations/session_request.h"

#include <algorithm>
#include <charconv>

#include "producer/ingress/json_body.h"
#include "producer/ingress/request_headers.h"
#include "shared/contract/raw_members.h"
#include "shared/http/one_meaning.h"
#include "shared/runtime/ids.h"
#include "shared/runtime/limits.h"

namespace millrace::conversations {
namespace {

constexpr std::uint32_t limit_default = 10;
constexpr std::uint32_t limit_max = 1000;

std::unexpected<Refusal> wrong(std::string field, std::string detail) {
  return std::unexpected(refuse("invalid_field", std::move(field), std::move(detail)));
}

/// The text of the one member that is allowed, as it was written; empty where it is left out.
std::expected<std::string, Refusal> only_member(const http::Request& request,
                                                std::string_view name) {
  if (const auto refusal = unheard(request)) return std::unexpected(*refusal);
  if (const auto refusal = not_json(request)) return std::unexpected(*refusal);
  if (request.body.find_first_not_of(" \t\r\n") == std::string::npos) return std::string();
  JsonBody json(request.body);
  const auto object = json.object(" with `" + std::string(name) + "`, or empty");
  if (!object) return std::unexpected(Refusal{object.error(), {}, {}});
  RawMembers raw(json.text());
  std::string_view value;
  for (const auto member : *object) {
    if (member.key != name)
      return std::unexpected(Refusal{
          not_known(std::string(member.key), member.key, "`" + std::string(name) + "` alone"),
          {},
          {}});
    if (!value.empty())
      return std::unexpected(Refusal{given_twice(std::string(name), name), {}, {}});
    value = raw.next();
  }
  return value == "null" ? std::string() : std::string(value);
}

std::expected<std::string, Refusal> within_limit(std::string json) {
  if (json.size() <= limits::metadata_bytes_max) return json;
  return wrong("metadata", "It has " + std::to_string(json.size()) +
                               " bytes; allowed: " + std::to_string(limits::metadata_bytes_max));
}

}  // namespace

std::expected<std::string, Refusal> session_metadata(const http::Request& request) {
  const auto value = only_member(request, "metadata");
  if (!value || value->empty()) return value;
  if (!value->starts_with('{')) return wrong("metadata", "It must be a JSON object.");
  return within_limit(one_line(*value));
}

std::expected<std::string, Refusal> user_metadata(const http::Request& request) {
  const auto value = only_member(request, "user_id");
  if (!value || value->empty()) return value;
  if (!value->starts_with('"')) return wrong("user_id", "It must be a text.");
  return within_limit(R"({"user_id":)" + *value + "}");
}

std::string user_session_id(WallTime now, Random& random) {
  const auto unix_s = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  return "session_" + std::to_string(unix_s) + "_" + new_token(random).str();
}

std::expected<std::uint32_t, Refusal> message_limit(const http::Request& request) {
  if (const auto found = http::unheard_parameter(request, {"limit"}))
    return std::unexpected(refuse("invalid_parameter", found->name, found->detail));
  const auto text = request.query_param("limit");
  if (!text) return limit_default;
  std::uint32_t limit = 0;
  const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), limit);
  const bool whole = failed == std::errc() && end == text->data() + text->size();
  if (whole && limit >= 1 && limit <= limit_max) return limit;
  return std::unexpected(refuse("invalid_parameter", "limit",
                                millrace::quoted(*text) +
                                    " is not allowed; a whole number from 1 to " +
                                    std::to_string(limit_max) + " is."));
}

}  // namespace millrace::conversations
