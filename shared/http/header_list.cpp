#include "shared/http/header_list.h"

#include <algorithm>

namespace millrace::http {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

std::string_view take_item(std::string_view& list, char separator) {
  const auto end = std::min(list.find(separator), list.size());
  const auto part = list.substr(0, end);
  list.remove_prefix(std::min(end + 1, list.size()));
  return trimmed(part);
}

// A weight is `q=0` to `q=1` with at most three digits; only whether it is zero matters.
bool weighs_nothing(std::string_view parameter) {
  if (parameter.size() < 3 || (parameter[0] | 0x20) != 'q' || parameter[1] != '=') return false;
  return parameter.substr(2).find_first_not_of("0.") == parameter.npos;
}

}  // namespace millrace::http
