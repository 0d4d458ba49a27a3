#include "shared/http/message.h"

#include <algorithm>

#include "shared/http/header_list.h"
#include "shared/http/percent.h"
#include "shared/http/request_head.h"

namespace millrace::http {
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
      auto range = take_item(rest, ',');
      if (!equal_ignoring_case(take_item(range, ';'), media_type)) continue;
      bool refused = false;
      while (!range.empty()) refused = weighs_nothing(take_item(range, ';')) || refused;
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
