#include "shared/http/message.h"

#include <algorithm>

#include "shared/http/percent.h"
#include "shared/http/request_head.h"

namespace millrace::http {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Takes what stands before the next `separator` off the front of `list`.
std::string_view take_until(std::string_view& list, char separator) {
  const auto end = std::min(list.find(separator), list.size());
  const auto part = list.substr(0, end);
  list.remove_prefix(std::min(end + 1, list.size()));
  return trimmed(part);
}

// A weight is `q=0` to `q=1` with at most three digits; only "is it zero" matters here.
bool weight_is_zero(std::string_view parameter) {
  if (parameter.size() < 3 || (parameter[0] | 0x20) != 'q' || parameter[1] != '=') return false;
  return parameter.substr(2).find_first_not_of("0.") == parameter.npos;
}

}  // namespace

std::string_view Request::header(std::string_view name) const {
  for (const auto& [own_name, value] : headers)
    if (own_name == name) return value;
  return {};
}

std::optional<std::string> Request::query_param(std::string_view name) const {
  std::string_view rest = query;
  while (!rest.empty()) {
    auto pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    const auto equals = std::min(pair.find('='), pair.size());
    if (query_decoded(pair.substr(0, equals)) != name) continue;
    pair.remove_prefix(std::min(equals + 1, pair.size()));
    return query_decoded(pair);
  }
  return std::nullopt;
}

bool Request::accepts(std::string_view media_type) const {
  for (const auto& [name, value] : headers) {
    if (name != "accept") continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      auto range = take_until(rest, ',');
      if (!equal_ignoring_case(take_until(range, ';'), media_type)) continue;
      bool refused = false;
      while (!range.empty()) refused = weight_is_zero(take_until(range, ';')) || refused;
      if (!refused) return true;
    }
  }
  return false;
}

Response to_response(const Problem& problem) {
  Response response;
  response.status = problem.status;
  response.content_type = "application/problem+json";
  response.body = to_json(problem);
  return response;
}

}  // namespace millrace::http
