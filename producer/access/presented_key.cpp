#include "producer/access/presented_key.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace millrace::access {
namespace {

constexpr std::string_view scheme = "bearer";

bool same_letters(std::string_view a, std::string_view lower) {
  return std::ranges::equal(
      a, lower, {}, [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
}

std::string text_of(const in6_addr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET6, &address, text.data(), text.size());
  return text.data();
}

}  // namespace

std::string_view presented_key(const http::Request& request) {
  auto given = request.header("authorization");
  const bool bearer = given.size() > scheme.size() && given[scheme.size()] == ' ' &&
                      same_letters(given.substr(0, scheme.size()), scheme);
  if (!bearer) return request.header("x-api-key");
  given.remove_prefix(scheme.size());
  given.remove_prefix(std::min(given.find_first_not_of(' '), given.size()));
  return given;
}

std::string address_group(std::string_view address) {
  const std::string text(address.substr(0, address.find('%')));  // without a zone
  in6_addr v6{};
  if (::inet_pton(AF_INET6, text.c_str(), &v6) != 1) return text;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) {
    in_addr v4{};
    std::memcpy(&v4, &v6.s6_addr[12], sizeof v4);
    std::array<char, INET_ADDRSTRLEN> dotted{};
    ::inet_ntop(AF_INET, &v4, dotted.data(), dotted.size());
    return dotted.data();
  }
  std::memset(&v6.s6_addr[8], 0, 8);
  return text_of(v6) + "/64";
}

}  // namespace millrace::access
