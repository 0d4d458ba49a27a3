#pragma once
#include <optional>

#include "shared/runtime/ip_address.h"

namespace millrace::outbound {

/// True for an address that is anybody's to reach: none of this machine, its networks, the cloud's
/// metadata, multicast, documentation or reserves (IANA's registries of special-purpose addresses,
/// RFC 6890). An IPv6 address that carries an IPv4 one is judged by that.
bool is_public(const IpAddress& address);

/// The IPv4 address that an IPv6 one leads to: mapped (RFC 4291), NAT64 (RFC 6052), 6to4
/// (RFC 3056), ISATAP (RFC 5214). Nothing for others.
std::optional<IpAddress> carried(const IpAddress& address);

}  // namespace millrace::outbound
