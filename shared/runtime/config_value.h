#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shared/runtime/time.h"

/// How settings are written: text to values and back. Nothing is returned for a text that does
/// not read as a whole; there is no rounding, no sign where none makes sense, no blank.
namespace millrace::config_value {

std::optional<std::uint64_t> whole_number(std::string_view text);
std::optional<double> number(std::string_view text);
/// `true`, `on`, `yes`, `1` and their opposites.
std::optional<bool> truth(std::string_view text);
/// A number and `ms`, `s`, `min`, `h` or `d`; a bare number is seconds.
std::optional<Duration> duration(std::string_view text);
/// In the largest unit that says it in a whole number.
std::string to_text(Duration time);
std::string to_text(double value);

/// `host[:port]`, comma-separated.
bool broker_list(std::string_view text);
/// `redis://[user:password@]host[:port][/db]`.
bool redis_url(std::string_view text);
/// An http(s) base without trailing `/` and `/v1`, whichever of these it was written with.
std::optional<std::string> model_server_url(std::string_view text);
/// An http(s) base, or a host and a port: a word alone is more likely a slip.
bool edge_url(std::string_view text);
/// The path in `PATH`, `sqlite:PATH` or `sqlite:///PATH`; nothing for another scheme.
std::optional<std::string> sqlite_path(std::string_view text);
/// `postgres://…` or `postgresql://…`, whatever of it libpq then reads.
bool postgres_url(std::string_view text);
/// What DATABASE_URL may be: a Postgres URL as it is, or the path of `sqlite_path`.
std::optional<std::string> database_url(std::string_view text);
/// An address to listen on, IPv6 without its brackets, or `localhost`.
std::optional<std::string> listen_address(std::string_view text);
/// `*`, or origins as browsers send them (`https://host[:port]`), comma-separated.
bool origin_list(std::string_view text);
/// `*`, or names of hosts without a port, comma-separated.
bool host_list(std::string_view text);
/// True for 127.0.0.0/8, `::1` and `localhost`.
bool loopback(std::string_view host);

/// A URL with the password between `:` and `@`, or in `password=`, replaced.
std::string without_password(std::string_view url);
inline constexpr std::string_view mask = "****";

}  // namespace millrace::config_value
