#include "shared/runtime/percent_encoded.h"

#include <cstdint>

namespace millrace {

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view plain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (plain.contains(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<std::uint8_t>(c);
    out.append({'%', hex[byte >> 4], hex[byte & 15]});
  }
  return out;
}

}  // namespace millrace
