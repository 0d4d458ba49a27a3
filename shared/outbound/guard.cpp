#include "shared/outbound/guard.h"

#include <algorithm>
#include <stdexcept>

#include "shared/outbound/public_address.h"

namespace millrace::outbound {
namespace {

std::vector<IpRange> ranges_of(std::string_view text) {
  auto ranges = parse_ip_ranges(text);
  if (!ranges)
    throw std::invalid_argument("not a list of addresses and ranges: " + std::string(text));
  return std::move(*ranges);
}

/// RFC 6761: these never leave the machine.
bool own_name(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost");
}

}  // namespace

Guard::Guard(std::string_view allowed) : allowed_(ranges_of(allowed)) {}

const Guard& Guard::public_only() {
  static const Guard guard("");
  return guard;
}

bool Guard::allows(const IpAddress& address) const {
  const auto holds = [this](const IpAddress& one) {
    return std::ranges::any_of(allowed_,
                               [&one](const IpRange& range) { return range.contains(one); });
  };
  if (is_public(address) || holds(address)) return true;
  const auto inner = carried(address);
  return inner && holds(*inner);
}

std::optional<std::string> Guard::fault(std::string_view url) const {
  const auto target = read_url(url);
  if (!target) return target.error();
  const bool own = own_name(target->host) && !allows(IpAddress::v4(0x7f000001)) &&
                   !allows(*IpAddress::parse("::1"));
  if (!own && (!target->address || allows(*target->address))) return std::nullopt;
  return "leads to an address that is not public; name a host that the internet can reach, or have "
         "whoever runs this millrace allow the address with WEBHOOK_ALLOW";
}

}  // namespace millrace::outbound
