#include "shared/runtime/random.h"

#include <sys/random.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace millrace {

void Random::fill(std::span<std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const std::uint64_t word = next();
    const std::size_t taken = std::min(bytes.size(), sizeof word);
    std::memcpy(bytes.data(), &word, taken);
    bytes = bytes.subspan(taken);
  }
}

std::uint64_t SystemRandom::next() {
  if (used_ == block_.size()) {
    // 512 bytes come whole or not at all before the pool is ready; without chance there is no
    // fencing and no secret, so there is nothing to go on with.
    if (getrandom(block_.data(), sizeof block_, 0) != static_cast<ssize_t>(sizeof block_))
      std::abort();
    used_ = 0;
  }
  return block_[used_++];
}

}  // namespace millrace
