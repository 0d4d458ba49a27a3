#pragma once
#include <cstdint>

#include "shared/runtime/random.h"
#include "shared/runtime/time.h"

namespace millrace::sim {

/// Dice. Everything that a seed decides is thrown here, in the order of the run.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : random_(seed * 0x9E3779B97F4A7C15ULL + 1) {}

  /// True so many times in 10,000.
  bool in_10000(std::uint32_t times) { return random_.next() % 10'000 < times; }
  bool percent(std::uint32_t times) { return random_.next() % 100 < times; }
  /// Evenly, both ends in it.
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + random_.next() % (high - low + 1);
  }
  Duration ms(std::uint64_t low, std::uint64_t high) {
    return std::chrono::microseconds(between(low * 1000, high * 1000));
  }
  Duration us(std::uint64_t low, std::uint64_t high) {
    return std::chrono::microseconds(between(low, high));
  }
  std::uint64_t seed() { return random_.next(); }

 private:
  SeededRandom random_;
};

}  // namespace millrace::sim
