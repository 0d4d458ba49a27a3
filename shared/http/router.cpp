#include "shared/http/router.h"

#include <algorithm>

#include "shared/http/percent.h"

namespace millrace::http {
namespace {

bool is_param(std::string_view segment) {
  return segment.starts_with('{');
}

std::string_view name_of(Method method) {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::head:
      return "HEAD";
    case Method::post:
      return "POST";
    case Method::put:
      return "PUT";
    case Method::patch:
      return "PATCH";
    case Method::del:
      return "DELETE";
    case Method::options:
      return "OPTIONS";
    case Method::other:
      break;
  }
  return "";
}

// Takes the segment after the leading slash off the path.
std::string_view take_segment(std::string_view& path) {
  path.remove_prefix(1);
  const auto segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

// Compared without decoding where nothing is encoded, which is nearly always.
bool segment_matches(std::string_view raw, std::string_view literal) {
  if (raw.find('%') == raw.npos) return raw == literal;
  return percent_decoded(raw) == literal;
}

bool path_matches(std::string_view raw_path, const std::vector<std::string>& segments,
                  std::vector<std::string>& params) {
  params.clear();
  for (const auto& segment : segments) {
    if (!raw_path.starts_with('/')) return false;
    const auto raw = take_segment(raw_path);
    if (is_param(segment)) {
      auto value = percent_decoded(raw);
      if (!value || value->empty()) return false;
      params.push_back(std::move(*value));
    } else if (!segment_matches(raw, segment)) {
      return false;
    }
  }
  return raw_path.empty();
}

// Orders `/a/b` before `/a/{x}`, so that the first match is the most literal one.
bool more_literal(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::ranges::lexicographical_compare(
      a, b, [](const std::string& x, const std::string& y) { return !is_param(x) && is_param(y); });
}

}  // namespace

void Router::add(Method method, std::string_view pattern, Handler handler,
                 RouteLimits route_limits) {
  auto route = std::ranges::find(routes_, pattern, &Route::pattern);
  if (route == routes_.end()) {
    Route added{std::string(pattern), {}, {}};
    while (!pattern.empty()) added.segments.emplace_back(take_segment(pattern));
    const auto place =
        std::ranges::upper_bound(routes_, added.segments, more_literal, &Route::segments);
    route = routes_.insert(place, std::move(added));
  }
  route->methods.push_back({method, std::move(handler), route_limits});
}

Router::Match Router::find(Method method, std::string_view raw_path) const {
  Match match;
  const Method wanted = method == Method::head ? Method::get : method;
  for (const auto& route : routes_) {
    if (!path_matches(raw_path, route.segments, match.params)) continue;
    match.pattern = route.pattern;
    const auto served = std::ranges::find(route.methods, wanted, &Served::method);
    if (served != route.methods.end()) {
      match.handler = &served->handler;
      match.route_limits = served->route_limits;
      if (method != Method::options) return match;
    }
    bool lists_options = false;
    for (const auto& each : route.methods) {
      match.allow.append(name_of(each.method)).append(", ");
      if (each.method == Method::get) match.allow.append("HEAD, ");
      lists_options = lists_options || each.method == Method::options;
    }
    if (lists_options)
      match.allow.resize(match.allow.size() - 2);
    else
      match.allow.append("OPTIONS");
    return match;
  }
  match.params.clear();
  return match;
}

std::string Router::patterns() const {
  std::string all;
  for (const auto& route : routes_) all.append(all.empty() ? "" : ", ").append(route.pattern);
  return all;
}

}  // namespace millrace::http
