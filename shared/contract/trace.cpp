#include "shared/contract/trace.h"

#include <array>

#include "shared/runtime/ids.h"

namespace millrace {
namespace {

constexpr std::size_t trace_begin = 3;
constexpr std::size_t span_begin = 36;
constexpr std::size_t flags_begin = 53;
constexpr std::size_t whole_size = 55;

bool hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == text.npos;
}
bool id(std::string_view text) {
  return hex(text) && text.find_first_not_of('0') != text.npos;
}

bool version_allows(std::string_view text) {
  const auto version = text.substr(0, 2);
  if (!hex(version) || version == "ff") return false;
  if (text.size() == whole_size) return true;
  return version != "00" && text[whole_size] == '-';
}

}  // namespace

std::optional<std::string> read_traceparent(std::string_view text) {
  if (text.size() < whole_size || !version_allows(text)) return std::nullopt;
  const bool divided =
      text[trace_begin - 1] == '-' && text[span_begin - 1] == '-' && text[flags_begin - 1] == '-';
  if (!divided || !id(text.substr(trace_begin, 32)) || !id(text.substr(span_begin, 16)) ||
      !hex(text.substr(flags_begin, 2)))
    return std::nullopt;
  return "00" + std::string(text.substr(2, whole_size - 2));
}

std::string child_traceparent(std::string_view parent, Random& random) {
  std::array<std::uint8_t, 8> span{};
  random.fill(span);
  span.back() |= 1;  // all zeros is no span
  std::string child(parent);
  const std::string_view bytes(reinterpret_cast<const char*>(span.data()), span.size());
  return child.replace(span_begin, 16, to_hex(bytes));
}

}  // namespace millrace
