#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace millrace {

/// Appends `text` as the inside of a JSON string (RFC 8259): quotes, backslashes and control
/// characters are escaped, all else is copied. The text is valid UTF-8.
void append_json_escaped(std::string& out, std::string_view text);
/// The same between quotes.
void append_json_string(std::string& out, std::string_view text);
void append_number(std::string& out, std::uint64_t number);
/// The shortest form that reads back as the same double; it must be finite.
void append_number(std::string& out, double number);

/// The longest prefix of at most `bytes_max` bytes that does not cut a character.
std::string_view cut_utf8(std::string_view text, std::size_t bytes_max);
/// True for well-formed UTF-8 (no overlong forms, no surrogates).
bool valid_utf8(std::string_view text);

}  // namespace millrace
