#pragma once
#include <array>
#include <cstdint>
#include <random>
#include <span>

namespace millrace {

/// Where chance comes from: jitter, ids, lease tokens. One a loop; not thread-safe.
class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;
  void fill(std::span<std::uint8_t> bytes);
  /// Evenly in [0, 1).
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
};

/// The kernel's generator, read in blocks: fit for tokens and ids nobody may guess.
class SystemRandom final : public Random {
 public:
  std::uint64_t next() override;

 private:
  std::array<std::uint64_t, 64> block_{};
  std::size_t used_ = block_.size();
};

/// The same numbers for the same seed: tests and simulation.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t next() override { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

}  // namespace millrace
