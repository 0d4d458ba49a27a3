#include "shared/kafka/key_partition.h"

namespace millrace::kafka {

std::uint32_t murmur2(std::string_view bytes) {
  constexpr std::uint32_t seed = 0x9747b28c;
  constexpr std::uint32_t factor = 0x5bd1e995;
  const auto at = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i]));
  };
  std::uint32_t hash = seed ^ static_cast<std::uint32_t>(bytes.size());
  std::size_t i = 0;
  for (; i + 4 <= bytes.size(); i += 4) {
    std::uint32_t word = at(i) | at(i + 1) << 8 | at(i + 2) << 16 | at(i + 3) << 24;
    word *= factor;
    word ^= word >> 24;
    word *= factor;
    hash *= factor;
    hash ^= word;
  }
  if (i < bytes.size()) {
    for (auto last = bytes.size(); last-- > i;) hash ^= at(last) << 8 * (last - i);
    hash *= factor;
  }
  hash ^= hash >> 13;
  hash *= factor;
  hash ^= hash >> 15;
  return hash;
}

int murmur2_partition(std::string_view key, int partitions) {
  return static_cast<int>((murmur2(key) & 0x7fffffffU) % static_cast<std::uint32_t>(partitions));
}

}  // namespace millrace::kafka
