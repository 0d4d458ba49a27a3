#pragma once
#include <cstdint>
#include <string_view>

namespace millrace::disk {

/// CRC-32C (Castagnoli, RFC 3720 B.4) of `bytes`, going on from the CRC of what stands before
/// them: `crc32c(b, crc32c(a))` is that of both.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);

}  // namespace millrace::disk
