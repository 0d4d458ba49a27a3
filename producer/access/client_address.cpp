#include "producer/access/client_address.h"

#include <algorithm>
#include <optional>
#include <ranges>

#include "shared/http/header_list.h"
#include "shared/http/request_head.h"

namespace millrace::access {
namespace {

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`, each perhaps quoted.
std::string_view without_port(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
    text = text.substr(1, text.size() - 2);
  if (text.starts_with('[')) return text.substr(1, text.find(']') - 1);
  const auto colon = text.find(':');
  return colon == text.rfind(':') ? text.substr(0, colon) : text;
}

/// What `for` says in an element of Forwarded; empty where it says nothing.
std::string_view forwarded_for(std::string_view element) {
  while (!element.empty()) {
    auto pair = http::take_item(element, ';');
    const auto name = http::take_item(pair, '=');
    if (http::equal_ignoring_case(name, "for")) return pair;
  }
  return {};
}

bool is_trusted(const std::vector<IpRange>& trusted, std::string_view text) {
  const auto address = IpAddress::parse(text);
  return address &&
         std::ranges::any_of(trusted, [&](const auto& range) { return range.contains(*address); });
}

/// The last one that no trusted proxy has; nothing where the header is not there.
struct Told {
  bool there = false;
  std::string_view address{};  ///< empty where it is none
};

Told told_by(const http::Request& request, std::string_view header,
             const std::vector<IpRange>& trusted) {
  Told told;
  // A header that comes twice is one list (RFC 9110, 5.3); its last element is in the last of them.
  for (const auto& [name, value] : std::views::reverse(request.headers)) {
    if (name != header) continue;
    told.there = true;
    for (std::string_view rest = value;;) {
      const auto comma = rest.rfind(',');
      std::string_view element = comma == rest.npos ? rest : rest.substr(comma + 1);
      element = http::take_item(element, ',');
      told.address = without_port(header == "forwarded" ? forwarded_for(element) : element);
      if (!IpAddress::parse(told.address)) told.address = {};
      if (!is_trusted(trusted, told.address)) return told;
      if (comma == rest.npos) break;
      rest = rest.substr(0, comma);
    }
  }
  return told;
}

}  // namespace

std::string client_address(const http::Request& request, const std::vector<IpRange>& trusted) {
  if (trusted.empty() || !is_trusted(trusted, request.peer)) return request.peer;
  const auto list = told_by(request, "x-forwarded-for", trusted);
  const auto forwarded = told_by(request, "forwarded", trusted);
  if (list.there && forwarded.there && list.address != forwarded.address) return request.peer;
  const auto address = list.there ? list.address : forwarded.address;
  return address.empty() ? request.peer : std::string(address);
}

}  // namespace millrace::access
