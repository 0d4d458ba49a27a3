#include "shared/http/cors.h"

#include <algorithm>

namespace millrace::http {
namespace {

/// Every field of an answer that a client may go by, beside those that a page may always read.
constexpr std::string_view readable_fields =
    "Accept-Ranges, Allow, Content-Disposition, Content-Range, ETag, Idempotent-Replayed, "
    "Location, Preference-Applied, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, "
    "Retry-After, WWW-Authenticate, X-Millrace-Job, x-request-id, x-should-retry";
constexpr std::string_view methods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
constexpr std::string_view remembered_s = "600";

}  // namespace

CorsPolicy::CorsPolicy(std::string_view origins) {
  while (!origins.empty()) {
    auto origin = origins.substr(0, origins.find(','));
    origins.remove_prefix(std::min(origin.size() + 1, origins.size()));
    origin.remove_prefix(std::min(origin.find_first_not_of(' '), origin.size()));
    origin = origin.substr(0, origin.find_last_not_of(" /") + 1);
    any_ = any_ || origin == "*";
    if (!origin.empty()) origins_.emplace_back(origin);
  }
}

bool CorsPolicy::allows(std::string_view origin) const {
  return !origin.empty() && (any_ || std::ranges::find(origins_, origin) != origins_.end());
}

void CorsPolicy::allow(std::string_view origin, Response& response) const {
  if (origins_.empty()) return;
  // A cache must not give one origin's answer to another.
  if (!any_) response.headers.emplace_back("Vary", "Origin");
  if (!allows(origin)) return;
  response.headers.emplace_back("Access-Control-Allow-Origin", any_ ? "*" : origin);
  response.headers.emplace_back("Access-Control-Expose-Headers", readable_fields);
}

void CorsPolicy::preflight(const Request& request, Response& response) const {
  const bool asked = !request.header("access-control-request-method").empty();
  if (!asked || !allows(request.header("origin"))) return;
  response.headers.emplace_back("Access-Control-Allow-Methods", methods);
  // `*` does not cover Authorization, so what was asked for is echoed.
  const auto fields = request.header("access-control-request-headers");
  if (!fields.empty()) response.headers.emplace_back("Access-Control-Allow-Headers", fields);
  response.headers.emplace_back("Access-Control-Max-Age", remembered_s);
}

}  // namespace millrace::http
