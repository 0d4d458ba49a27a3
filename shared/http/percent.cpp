#include "shared/http/percent.h"

#include "shared/runtime/json_text.h"

namespace millrace::http {
namespace {

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

std::optional<std::string> decoded(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char next = text[i];
    if (next == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      next = static_cast<char>(high << 4 | low);
      i += 2;
    } else if (next == '+' && plus_is_space) {
      next = ' ';
    }
    if (next == '\0') return std::nullopt;
    out.push_back(next);
  }
  if (!valid_utf8(out)) return std::nullopt;
  return out;
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text) {
  return decoded(text, false);
}

std::optional<std::string> query_decoded(std::string_view text) {
  return decoded(text, true);
}

bool query_is_sound(std::string_view query) {
  if (query.find('%') == query.npos) return true;  // raw bytes are visible ASCII already
  while (!query.empty()) {
    const auto end = query.find_first_of("&=");
    if (!query_decoded(query.substr(0, end))) return false;
    query.remove_prefix(end == query.npos ? query.size() : end + 1);
  }
  return true;
}

}  // namespace millrace::http
