#include "producer/access/edge_gate.h"

#include <cmath>

#include "producer/access/presented_key.h"
#include "producer/ingress/refusal.h"

namespace millrace::access {
namespace {

/// Buckets of no tenant: no tenant is called so.
constexpr std::string_view nobody = "-";
constexpr const char* challenge = "WWW-Authenticate";

std::string whole_seconds(Duration time) {
  return std::to_string(
      std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(time).count()));
}

Problem key_missing() {
  return make_problem("missing_api_key", "Authorization",
                      "This route wants an API key: send `Authorization: Bearer mr_…` (or "
                      "X-API-Key). `millrace keys create` makes one.");
}

Problem key_wrong() {
  return make_problem("invalid_api_key", "Authorization",
                      "There is no such API key, or it was revoked. `millrace keys list` shows "
                      "those there are.");
}

Problem scope_missing(Scope scope) {
  return make_problem("insufficient_scope", "Authorization",
                      "This route wants a key with the scope `" + std::string(to_string(scope)) +
                          "`, which this one has not: `millrace keys create --scope " +
                          std::string(to_string(scope)) + "` makes one.");
}

Problem keys_unknown() {
  return make_problem("store_unavailable", "",
                      "The API keys have not been read yet. Try again after the time in "
                      "Retry-After.");
}

Problem too_often(const std::string& whose, TokenRate rate, Duration wait) {
  return make_problem("rate_limit_exceeded", "",
                      "More requests than " + rate.str() + " allows " + whose +
                          " (so many a time, and behind the colon at once). Try again in " +
                          whole_seconds(wait) + " s.");
}

Problem too_many_wrong_keys(Duration wait) {
  return make_problem("rate_limit_exceeded", "Authorization",
                      "This key is wrong, as were many from this address. Another wrong one is "
                      "looked at in " +
                          whole_seconds(wait) + " s; a right one at once.");
}

http::Headers rate_headers(TokenRate rate, const Allowed& allowed) {
  const auto left = static_cast<std::int64_t>(std::floor(allowed.left + 1e-6));
  const auto full = std::chrono::ceil<std::chrono::seconds>(allowed.full_in).count();
  return {{"RateLimit-Limit", std::to_string(static_cast<std::int64_t>(rate.burst))},
          {"RateLimit-Remaining", std::to_string(allowed.yes ? left : 0)},
          {"RateLimit-Reset", std::to_string(full)}};
}

}  // namespace

bool EdgeGate::wants_keys() const {
  if (parts_.auth == Auth::automatic) return !parts_.keys.known() || parts_.keys.any();
  return parts_.auth == Auth::on;
}

Task<http::Passage> EdgeGate::enter(http::Request& request, std::string_view pattern) {
  const RouteAccess access = access_of(request.method, pattern);
  if (!access.scope) co_return http::Passage{};
  if (!wants_keys()) {
    if (const auto objection = parts_.pages.objection(request))
      co_return refused(request, *objection, {});
    co_return co_await keep_address_rate(request);
  }
  const std::string shown(presented_key(request));
  if (shown.empty() && access.by_link && request.query_param("signature"))
    co_return co_await keep_address_rate(request);
  if (shown.empty())
    co_return refused(request, key_missing(), {{challenge, R"(Bearer realm="millrace")"}});
  if (!parts_.keys.known()) co_return refused(request, keys_unknown(), {{"Retry-After", "1"}});
  co_return co_await enter_with(shown, request, *access.scope);
}

Task<http::Passage> EdgeGate::enter_with(std::string shown, http::Request& request, Scope scope) {
  const ApiKey* const key = parts_.keys.find(shown);
  if (!key) co_return co_await no_such_key(request);
  if (!key->scopes.has(scope)) {
    const auto wanted = std::string(to_string(scope));
    co_return refused(
        request, scope_missing(scope),
        {{challenge,
          R"(Bearer realm="millrace", error="insufficient_scope", scope=")" + wanted + "\""}});
  }
  request.tenant = key->tenant;
  http::Passage passage;
  if (key->rate) {
    // Its place may move while this waits.
    const std::string bucket = key->tenant + "/rate/" + key->id;
    passage = co_await keep_rate(bucket, *key->rate, "this key", request);
  }
  if (passage.refused || !parts_.address_rate) co_return passage;
  auto by_address = co_await keep_address_rate(request);
  if (by_address.refused || passage.headers.empty()) co_return by_address;
  co_return passage;
}

/// A right key never comes here, so an address that many share locks out none of them.
Task<http::Passage> EdgeGate::no_such_key(http::Request& request) {
  const auto bucket = std::string(nobody) + "/wrong/" + bucket_of(request);
  const auto allowed = co_await parts_.limiter.take(bucket, wrong_keys);
  if (!allowed.yes)
    co_return refused(request, too_many_wrong_keys(allowed.next_in),
                      {{"Retry-After", whole_seconds(allowed.next_in)}});
  co_return refused(request, key_wrong(),
                    {{challenge, R"(Bearer realm="millrace", error="invalid_token")"}});
}

Task<http::Passage> EdgeGate::keep_address_rate(http::Request& request) {
  if (!parts_.address_rate) co_return http::Passage{};
  co_return co_await keep_rate(std::string(nobody) + "/rate/" + bucket_of(request),
                               *parts_.address_rate, "one address", request);
}

Task<http::Passage> EdgeGate::keep_rate(std::string bucket, TokenRate rate, std::string whose,
                                        http::Request& request) {
  const auto allowed = co_await parts_.limiter.take(bucket, rate);
  auto headers = rate_headers(rate, allowed);
  if (allowed.yes) co_return http::Passage{.refused = {}, .headers = std::move(headers)};
  headers.emplace_back("Retry-After", whole_seconds(allowed.next_in));
  co_return refused(request, too_often(whose, rate, allowed.next_in), std::move(headers));
}

std::string EdgeGate::bucket_of(const http::Request& request) const {
  return address_group(client_address(request, parts_.trusted_proxies));
}

http::Passage EdgeGate::refused(const http::Request& request, const Problem& problem,
                                http::Headers headers) const {
  if (parts_.metrics) parts_.metrics->refused(problem.code);
  http::Passage passage{.refused = parts_.tell(problem, request.path),
                        .headers = std::move(headers)};
  return passage;
}

}  // namespace millrace::access
