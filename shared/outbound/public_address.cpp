#include "shared/outbound/public_address.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace millrace::outbound {
namespace {

struct V4Range {
  std::uint32_t first;
  int bits;
};

constexpr std::uint32_t quad(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

constexpr std::array not_public_v4{
    V4Range{quad(0, 0, 0, 0), 8},         // this network, unspecified
    V4Range{quad(10, 0, 0, 0), 8},        // private
    V4Range{quad(100, 64, 0, 0), 10},     // carrier-grade NAT, metadata of some clouds
    V4Range{quad(127, 0, 0, 0), 8},       // loopback
    V4Range{quad(168, 63, 129, 16), 32},  // Azure's host
    V4Range{quad(169, 254, 0, 0), 16},    // link-local, metadata
    V4Range{quad(172, 16, 0, 0), 12},     // private
    V4Range{quad(192, 0, 0, 0), 24},      // protocol assignments
    V4Range{quad(192, 0, 2, 0), 24},      // documentation
    V4Range{quad(192, 88, 99, 0), 24},    // 6to4 relays, no longer
    V4Range{quad(192, 168, 0, 0), 16},    // private
    V4Range{quad(198, 18, 0, 0), 15},     // benchmarks
    V4Range{quad(198, 51, 100, 0), 24},   // documentation
    V4Range{quad(203, 0, 113, 0), 24},    // documentation
    V4Range{quad(224, 0, 0, 0), 4},       // multicast
    V4Range{quad(240, 0, 0, 0), 4},       // reserved, broadcast
};

bool public_v4(std::uint32_t address) {
  return std::ranges::none_of(not_public_v4, [address](const V4Range& range) {
    return (address ^ range.first) >> (32 - range.bits) == 0;
  });
}

bool in(const IpAddress& address, const char* range) {
  return IpRange::parse(range)->contains(address);
}

/// The parts of 2000::/3, all that is given out, that are not for the world.
constexpr std::array<const char*, 4> not_public_v6{
    "2001::/23",      // protocol assignments: Teredo, benchmarks, ORCHID
    "2001:db8::/32",  // documentation
    "3ffe::/16",      // the old 6bone
    "3fff::/20",      // documentation
};

IpAddress v4_at(const IpAddress& address, std::size_t from) {
  return *IpAddress::of(std::span(address.bytes).subspan(from, 4));
}

}  // namespace

std::optional<IpAddress> carried(const IpAddress& address) {
  if (address.as_v4()) return address;
  if (in(address, "64:ff9b::/96")) return v4_at(address, 12);
  if (in(address, "2002::/16")) return v4_at(address, 2);
  const bool isatap = (address.bytes[8] & 0xfd) == 0 && address.bytes[9] == 0 &&
                      address.bytes[10] == 0x5e && address.bytes[11] == 0xfe;
  if (isatap) return v4_at(address, 12);
  return std::nullopt;
}

bool is_public(const IpAddress& address) {
  if (const auto v4 = address.as_v4()) return public_v4(*v4);
  const auto inner = carried(address);
  if (inner && !public_v4(*inner->as_v4())) return false;
  if (in(address, "64:ff9b::/96")) return true;
  return in(address, "2000::/3") &&
         std::ranges::none_of(not_public_v6, [&](const char* range) { return in(address, range); });
}

}  // namespace millrace::outbound
