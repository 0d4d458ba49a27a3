#pragma once
#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "shared/runtime/time.h"

namespace millrace::tar {

// Plain files in the ustar format (POSIX.1-2017, pax, "ustar Interchange Format"); sizes from 8 GiB
// on as GNU tar and BSD tar write and read them, in binary.

inline constexpr std::size_t block_bytes = 512;
using Block = std::array<char, block_bytes>;

struct Entry {
  std::string name;  ///< at most 100 bytes behind its last slash, 155 before
  std::uint64_t size = 0;
};

/// What stands before a file's bytes. Readable by the owner alone. Throws std::logic_error for a
/// name that is too long.
Block header(const Entry& entry, WallTime modified);
/// Nothing for the block of zeros behind the last file; an error for what is no header of a plain
/// file.
std::expected<std::optional<Entry>, std::string> parse(const Block& block);
/// Zeros from the end of `size` bytes to the next block.
constexpr std::size_t padding(std::uint64_t size) {
  return static_cast<std::size_t>((block_bytes - size % block_bytes) % block_bytes);
}

}  // namespace millrace::tar
