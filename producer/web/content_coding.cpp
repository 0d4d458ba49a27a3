#include "producer/web/content_coding.h"

#include <algorithm>
#include <optional>

#include "shared/http/request_head.h"

namespace millrace::web {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string_view take_until(std::string_view& list, char separator) {
  const auto end = std::min(list.find(separator), list.size());
  const auto part = list.substr(0, end);
  list.remove_prefix(std::min(end + 1, list.size()));
  return trimmed(part);
}

bool weighs_nothing(std::string_view parameter) {
  if (parameter.size() < 3 || (parameter[0] | 0x20) != 'q' || parameter[1] != '=') return false;
  return parameter.substr(2).find_first_not_of("0.") == parameter.npos;
}

/// What the header says of a coding; nothing when it does not name it.
std::optional<bool> told(std::string_view header, std::string_view coding) {
  while (!header.empty()) {
    auto item = take_until(header, ',');
    if (!http::equal_ignoring_case(take_until(item, ';'), coding)) continue;
    bool refused = false;
    while (!item.empty()) refused = weighs_nothing(take_until(item, ';')) || refused;
    return !refused;
  }
  return std::nullopt;
}

}  // namespace

Coding accepted_coding(std::string_view accept_encoding) {
  const bool any_other = told(accept_encoding, "*").value_or(false);
  if (told(accept_encoding, "br").value_or(any_other)) return Coding::brotli;
  if (told(accept_encoding, "gzip").value_or(any_other)) return Coding::gzip;
  return Coding::identity;
}

std::string_view name_of(Coding coding) {
  switch (coding) {
    case Coding::brotli:
      return "br";
    case Coding::gzip:
      return "gzip";
    case Coding::identity:
      break;
  }
  return "";
}

}  // namespace millrace::web
