#include "shared/disk/crc32c.h"

#include <array>
#include <bit>
#include <cstring>

namespace millrace::disk {
namespace {

constexpr std::uint32_t polynomial = 0x82F63B78;  // reflected

using Table = std::array<std::uint32_t, 256>;

/// Eight tables, for eight bytes at a time ("slicing by 8", Kounavis and Berry 2005): 1.5 GB/s
/// without any instruction of one processor.
constexpr std::array<Table, 8> tables = [] {
  std::array<Table, 8> made{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? polynomial : 0);
    made[0][byte] = crc;
  }
  for (std::size_t slice = 1; slice < 8; ++slice)
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t crc = made[slice - 1][byte];
      made[slice][byte] = crc >> 8 ^ made[0][crc & 255];
    }
  return made;
}();

static_assert(std::endian::native == std::endian::little, "the format on disk is little-endian");

}  // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) {
  std::uint32_t crc = ~before;
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    word ^= crc;
    crc = 0;
    for (std::size_t i = 0; i < 8; ++i) crc ^= tables[7 - i][word >> (8 * i) & 255];
  }
  for (; left > 0; ++at, --left)
    crc = crc >> 8 ^ tables[0][(crc ^ static_cast<unsigned char>(*at)) & 255];
  return ~crc;
}

}  // namespace millrace::disk
