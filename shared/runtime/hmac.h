#pragma once
#include <string>
#include <string_view>

namespace millrace {

/// HMAC-SHA256 (RFC 2104): 32 bytes.
std::string hmac_sha256(std::string_view key, std::string_view text);

/// RFC 4648, with padding.
std::string to_base64(std::string_view bytes);
/// Empty for a text that is none.
std::string from_base64(std::string_view text);

}  // namespace millrace
