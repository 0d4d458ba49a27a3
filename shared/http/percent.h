#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace millrace::http {

/// What `%XX` stands for, decoded once. Nothing when an escape is malformed, or when the result
/// holds a NUL or is not UTF-8: such text can neither be logged nor answered as JSON.
std::optional<std::string> percent_decoded(std::string_view text);
/// The same for a name or value of a query (`+` is a space).
std::optional<std::string> query_decoded(std::string_view text);

/// True when every part of the query decodes.
bool query_is_sound(std::string_view query);

}  // namespace millrace::http
