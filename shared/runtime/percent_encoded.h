#pragma once
#include <string>
#include <string_view>

namespace millrace {

/// As one segment of a path or one value of a query: all but RFC 3986's unreserved characters is
/// written as `%XX`.
std::string percent_encoded(std::string_view text);

}  // namespace millrace
