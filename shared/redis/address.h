#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::redis {

/// Where a Redis server is and who we are there.
struct Address {
  std::string host = "127.0.0.1";
  std::uint16_t port = 6379;
  std::string user;      ///< empty: the default user
  std::string password;  ///< empty: no AUTH is sent
  std::uint32_t db = 0;

  std::string shown() const { return host + ":" + std::to_string(port); }  ///< without secrets
};

/// Reads `redis://[[user]:password@]host[:port][/db]`; user and password may be percent-encoded,
/// an IPv6 host stands in brackets. Throws std::invalid_argument with a message that says what is
/// wrong and what is allowed, and never shows the password.
Address parse_address(std::string_view url);

}  // namespace millrace::redis
