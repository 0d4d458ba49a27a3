#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/outbound/url.h"

namespace millrace::outbound {

/// Which addresses may be asked for somebody who is not trusted with this network: those that are
/// public, and those that whoever runs millrace allows. Never changes; any thread.
///
/// A name is judged by the address that is connected to, at that moment, and never by an earlier
/// look-up: names may change in between.
class Guard {
 public:
  /// `allowed`: as `parse_ip_ranges` reads it; throws std::invalid_argument where it does not.
  explicit Guard(std::string_view allowed);

  static const Guard& public_only();

  bool allows(const IpAddress& address) const;

  /// What is known before anything is asked: why nothing at this URL can be allowed, without its
  /// subject, or nothing. The form of the URL, an address in it, and names of this machine.
  std::optional<std::string> fault(std::string_view url) const;

 private:
  std::vector<IpRange> allowed_;
};

}  // namespace millrace::outbound
