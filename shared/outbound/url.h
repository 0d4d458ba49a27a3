#pragma once
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "shared/runtime/ip_address.h"

namespace millrace::outbound {

inline constexpr std::size_t url_bytes_max = 2048;

/// Where a URL leads.
struct Target {
  std::string host;  ///< lower case, without brackets and a dot at its end
  std::uint16_t port = 0;
  std::optional<IpAddress> address;  ///< where the host is one, in whatever form it was written
  bool operator==(const Target&) const = default;
};

/// Reads a URL that somebody else chose: http or https, a host, perhaps a port, path and query; no
/// user, no password, no fragment. A host that ends in a number is an IPv4 address as browsers read
/// it (decimal, octal, hexadecimal, one to four parts). The error says what is wrong and what is
/// allowed, without its subject ("has a fragment (`#…`), which …").
std::expected<Target, std::string> read_url(std::string_view url);

}  // namespace millrace::outbound
