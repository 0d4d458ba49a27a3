#include "producer/objects/wanted_part.h"

#include <algorithm>
#include <charconv>

namespace millrace {
namespace {

using What = WantedPart::What;

/// Digits alone; a number beyond all sizes is the largest there is.
std::optional<std::uint64_t> position(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return std::numeric_limits<std::uint64_t>::max();
  return number;
}

bool names_bytes(std::string_view unit) {
  return std::ranges::equal(unit, std::string_view("bytes"),
                            [](char a, char b) { return (a | 0x20) == b; });
}

WantedPart last_bytes(std::uint64_t count, std::uint64_t size) {
  if (count == 0) return {.what = What::nothing};
  if (size == 0) return {};
  const auto given = std::min(count, size);
  return {.what = What::part, .range = {.from = size - given, .size = given}};
}

}  // namespace

WantedPart wanted_part(std::string_view header, std::uint64_t size) {
  const auto equals = header.find('=');
  if (equals == header.npos || !names_bytes(header.substr(0, equals))) return {};
  const auto range = header.substr(equals + 1);
  const auto dash = range.find('-');
  if (dash == range.npos) return {};
  const auto last = position(range.substr(dash + 1));
  const bool open_ended = dash + 1 == range.size();
  if (dash == 0) return last ? last_bytes(*last, size) : WantedPart{};
  const auto first = position(range.substr(0, dash));
  if (!first || (!last && !open_ended) || (last && *last < *first)) return {};
  if (*first >= size) return {.what = What::nothing};
  const auto end = last ? std::min(*last, size - 1) : size - 1;
  return {.what = What::part, .range = {.from = *first, .size = end - *first + 1}};
}

}  // namespace millrace
