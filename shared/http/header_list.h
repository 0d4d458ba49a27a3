#pragma once
#include <string_view>

/// The values of headers that are lists: `gzip;q=0.5, br`.
namespace millrace::http {

/// Takes what stands before the next `separator` off the front of `list`, without white space
/// around it; the whole of it where there is no separator.
std::string_view take_item(std::string_view& list, char separator);

/// A parameter `q=0`, `q=0.0` …: it refuses what it stands behind (RFC 9110, 12.4.2).
bool weighs_nothing(std::string_view parameter);

}  // namespace millrace::http
