#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

/// An IPv4 or IPv6 address. IPv4 stands in its mapped form (`::ffff:a.b.c.d`, RFC 4291), so that an
/// address that is written in two ways is one.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};
  bool operator==(const IpAddress&) const = default;

  /// Four bytes or sixteen, in network order.
  static std::optional<IpAddress> of(std::span<const std::uint8_t> bytes);
  static IpAddress v4(std::uint32_t number);
  /// `a.b.c.d` with decimal numbers without leading zeros, or IPv6 without brackets and zone.
  static std::optional<IpAddress> parse(std::string_view text);

  /// The IPv4 address, first byte highest, unless it is another.
  std::optional<std::uint32_t> as_v4() const;
};

/// The addresses that begin with the same bits.
struct IpRange {
  IpAddress first;
  int bits = 128;  ///< of the sixteen bytes

  bool contains(const IpAddress& address) const;
  /// `10.0.0.0/8`, `fd00::/8`, or an address alone.
  static std::optional<IpRange> parse(std::string_view text);
};

/// Ranges, separated by commas, blanks around them allowed; nothing for a text that is no such
/// list. An empty text is an empty list.
std::optional<std::vector<IpRange>> parse_ip_ranges(std::string_view text);

}  // namespace millrace
