#include "producer/web/content_coding.h"

#include <optional>

#include "shared/http/header_list.h"
#include "shared/http/request_head.h"

namespace millrace::web {
namespace {

/// What the header says of a coding; nothing when it does not name it.
std::optional<bool> told(std::string_view header, std::string_view coding) {
  while (!header.empty()) {
    auto item = http::take_item(header, ',');
    if (!http::equal_ignoring_case(http::take_item(item, ';'), coding)) continue;
    bool refused = false;
    while (!item.empty()) refused = http::weighs_nothing(http::take_item(item, ';')) || refused;
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
