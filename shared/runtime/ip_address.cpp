#include "shared/runtime/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace millrace {
namespace {

constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::optional<int> whole(std::string_view text, int most) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool read = error == std::errc() && end == text.data() + text.size();
  if (!read || number < 0 || number > most || text.front() == '-') return std::nullopt;
  return number;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

}  // namespace

std::optional<IpAddress> IpAddress::of(std::span<const std::uint8_t> given) {
  IpAddress address;
  if (given.size() == 4) {
    std::ranges::copy(mapped, address.bytes.begin());
    std::ranges::copy(given, address.bytes.begin() + mapped.size());
  } else if (given.size() == address.bytes.size()) {
    std::ranges::copy(given, address.bytes.begin());
  } else {
    return std::nullopt;
  }
  return address;
}

IpAddress IpAddress::v4(std::uint32_t number) {
  IpAddress address;
  std::ranges::copy(mapped, address.bytes.begin());
  for (std::size_t i = 0; i < 4; ++i)
    address.bytes[12 + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string copy(text);
  if (copy.find('\0') != std::string::npos) return std::nullopt;
  std::array<std::uint8_t, 16> raw{};
  if (inet_pton(AF_INET, copy.c_str(), raw.data()) == 1) return of(std::span(raw).first(4));
  if (inet_pton(AF_INET6, copy.c_str(), raw.data()) == 1) return of(raw);
  return std::nullopt;
}

std::optional<std::uint32_t> IpAddress::as_v4() const {
  if (!std::ranges::equal(mapped, std::span(bytes).first(mapped.size()))) return std::nullopt;
  std::uint32_t number = 0;
  for (std::size_t i = 12; i < 16; ++i) number = number << 8 | bytes[i];
  return number;
}

bool IpRange::contains(const IpAddress& address) const {
  const auto whole_bytes = static_cast<std::size_t>(bits / 8);
  if (!std::equal(first.bytes.begin(), first.bytes.begin() + whole_bytes, address.bytes.begin()))
    return false;
  const int left = bits % 8;
  if (left == 0) return true;
  const int differ = first.bytes[whole_bytes] ^ address.bytes[whole_bytes];
  return differ >> (8 - left) == 0;
}

std::optional<IpRange> IpRange::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  IpRange range{.first = *address};
  if (slash == std::string_view::npos) return range;
  // `::ffff:a.b.c.d` is written as IPv6, and its prefix counts from there.
  const bool dotted = text.substr(0, slash).find(':') == std::string_view::npos;
  const auto bits =
      text.size() > slash + 1 ? whole(text.substr(slash + 1), dotted ? 32 : 128) : std::nullopt;
  if (!bits) return std::nullopt;
  range.bits = dotted ? 96 + *bits : *bits;
  return range;
}

std::optional<std::vector<IpRange>> parse_ip_ranges(std::string_view text) {
  std::vector<IpRange> ranges;
  if (trimmed(text).empty()) return ranges;
  for (;;) {
    const auto comma = text.find(',');
    const auto range = IpRange::parse(trimmed(text.substr(0, comma)));
    if (!range) return std::nullopt;
    ranges.push_back(*range);
    if (comma == std::string_view::npos) return ranges;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace millrace
