#include "shared/outbound/url.h"

#include <algorithm>
#include <charconv>

namespace millrace::outbound {
namespace {

using Fault = std::unexpected<std::string>;

bool digit(char c) {
  return c >= '0' && c <= '9';
}
bool letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// What RFC 3986 lets stand in a URL; the rest is percent-encoded.
bool url_character(char c) {
  constexpr std::string_view marks = "-._~:/?#[]@!$&'()*+,;=%";
  return digit(c) || letter(c) || marks.find(c) != std::string_view::npos;
}

/// One part of an IPv4 address: 0x… hexadecimal, 0… octal, else decimal.
std::optional<std::uint64_t> v4_part(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
    if (text.empty()) return 0;
  } else if (text.size() > 1 && text.front() == '0') {
    base = 8;
    text.remove_prefix(1);
  }
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_number(std::string_view label) {
  return !label.empty() &&
         (std::ranges::all_of(label, digit) ||
          ((label.starts_with("0x") || label.starts_with("0X")) && v4_part(label)));
}

/// As the URL standard of the browsers reads it: the last part fills what the others leave.
std::optional<IpAddress> v4_of(std::string_view host) {
  std::uint64_t address = 0;
  for (int part = 0; part < 4; ++part) {
    const auto dot = host.find('.');
    const auto number = v4_part(host.substr(0, dot));
    if (!number) return std::nullopt;
    if (dot == std::string_view::npos) {
      const int bits = 8 * (4 - part);
      if (*number >> bits != 0) return std::nullopt;
      return IpAddress::v4(static_cast<std::uint32_t>(address << bits | *number));
    }
    if (*number > 255) return std::nullopt;
    address = address << 8 | *number;
    host.remove_prefix(dot + 1);
  }
  return std::nullopt;
}

bool right_name(std::string_view host) {
  if (host.empty() || host.size() > 253) return false;
  std::size_t label = 0;
  for (const char c : host) {
    label = c == '.' ? 0 : label + 1;
    const bool right = letter(c) || digit(c) || c == '-' || c == '_' || c == '.';
    if (!right || label > 63) return false;
  }
  return host.front() != '.' && host.find("..") == std::string_view::npos;
}

std::expected<Target, std::string> read_host(std::string_view text) {
  Target target;
  if (text.starts_with('[')) {
    target.address =
        text.ends_with(']') ? IpAddress::parse(text.substr(1, text.size() - 2)) : std::nullopt;
    if (!target.address || text.find(':') == std::string_view::npos)
      return Fault("has brackets around what is no IPv6 address (a zone is not allowed)");
    target.host = text.substr(1, text.size() - 2);
    std::ranges::transform(target.host, target.host.begin(), lower);
    return target;
  }
  if (text.ends_with('.')) text.remove_suffix(1);
  if (!right_name(text))
    return Fault(
        "needs a host of letters, digits, `-`, `_` and `.`; write other alphabets as xn--…");
  target.host = text;
  std::ranges::transform(target.host, target.host.begin(), lower);
  if (!is_number(text.substr(text.rfind('.') + 1))) return target;
  target.address = v4_of(text);
  if (!target.address) return Fault("has a host that ends in a number and is no IPv4 address");
  return target;
}

std::optional<std::uint16_t> read_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

/// The port of `http://` or `https://`, which is then gone from the text.
std::optional<std::uint16_t> take_scheme(std::string_view& url) {
  const auto colon = url.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  std::string scheme(url.substr(0, colon));
  std::ranges::transform(scheme, scheme.begin(), lower);
  url.remove_prefix(colon + 3);
  if (scheme == "http") return 80;
  if (scheme == "https") return 443;
  return std::nullopt;
}

}  // namespace

std::expected<Target, std::string> read_url(std::string_view url) {
  if (url.size() > url_bytes_max)
    return Fault("has " + std::to_string(url.size()) + " bytes; at most 2048 are allowed");
  if (!std::ranges::all_of(url, url_character))
    return Fault("has characters that no URL has; write them percent-encoded (%20)");
  const auto usual_port = take_scheme(url);
  if (!usual_port) return Fault("must begin with http:// or https://");
  if (url.find('#') != std::string_view::npos)
    return Fault("has a fragment (`#…`), which is never sent; leave it out");
  auto authority = url.substr(0, url.find_first_of("/?"));
  if (authority.find('@') != std::string_view::npos)
    return Fault("has a user or password before `@`; put a token into the path or query");
  const auto colon = authority.rfind(':');
  std::uint16_t port = *usual_port;
  if (colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos) {
    const auto given = read_port(authority.substr(colon + 1));
    if (!given) return Fault("has a port that is no number from 1 to 65535");
    port = *given;
    authority = authority.substr(0, colon);
  }
  auto target = read_host(authority);
  if (target) target->port = port;
  return target;
}

}  // namespace millrace::outbound
