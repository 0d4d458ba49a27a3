#include "shared/redis/address.h"

#include <charconv>
#include <stdexcept>

namespace millrace::redis {
namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw std::invalid_argument("REDIS_URL: " + what +
                              "; allowed is redis://[[user]:password@]host[:port][/db]");
}

template <class Number>
Number number(std::string_view text, std::string_view name) {
  Number value{};
  const auto end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stopped != end || text.empty())
    refuse("the " + std::string(name) + " '" + std::string(text) + "' is no number in range");
  return value;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned value = 0;
    const auto digits = text.substr(i + 1, 2);
    const auto end = digits.data() + digits.size();
    if (digits.size() != 2 || std::from_chars(digits.data(), end, value, 16).ptr != end)
      refuse("a % in the user or password is not followed by two hex digits");
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

void read_credentials(std::string_view text, Address& address) {
  const auto colon = text.find(':');
  if (colon == text.npos) refuse("there is no ':' between user and password");
  address.user = percent_decoded(text.substr(0, colon));
  address.password = percent_decoded(text.substr(colon + 1));
}

void read_host_and_port(std::string_view text, Address& address) {
  std::string_view rest;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == text.npos) refuse("the IPv6 address has no ']'");
    address.host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
  } else {
    const auto end = std::min(text.find(':'), text.size());
    address.host = text.substr(0, end);
    rest = text.substr(end);
  }
  if (address.host.empty()) refuse("the host is missing");
  if (rest.empty()) return;
  if (rest[0] != ':') refuse("'" + std::string(rest) + "' follows the host");
  address.port = number<std::uint16_t>(rest.substr(1), "port");
}

}  // namespace

Address parse_address(std::string_view url) {
  // hiredis has no TLS below 1.0.
  if (url.starts_with("rediss://"))
    throw std::invalid_argument(
        "REDIS_URL: rediss:// (TLS) is not supported by this build's hiredis; run a TLS tunnel "
        "(stunnel, or a service mesh sidecar) beside millrace and give its address as redis://");
  constexpr std::string_view scheme = "redis://";
  if (!url.starts_with(scheme)) refuse("it does not begin with redis://");
  url.remove_prefix(scheme.size());

  Address address;
  const auto at = url.rfind('@');
  if (at != url.npos) {
    read_credentials(url.substr(0, at), address);
    url.remove_prefix(at + 1);
  }
  const auto slash = url.find('/');
  if (slash != url.npos) {
    if (slash + 1 < url.size()) address.db = number<std::uint32_t>(url.substr(slash + 1), "db");
    url = url.substr(0, slash);
  }
  read_host_and_port(url, address);
  return address;
}

}  // namespace millrace::redis
