#pragma once
#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "shared/runtime/time.h"

namespace millrace {

/// How often something was how large, for /metrics. Written and read by any thread, without locks:
/// a reading taken meanwhile may have counted a value that it has not summed yet.
class Histogram {
 public:
  /// `bounds`: rising upper limits, each inclusive; what is larger is counted only in the whole.
  explicit Histogram(std::span<const double> bounds)
      : bounds_(bounds.begin(), bounds.end()), counts_(bounds.size() + 1) {}

  void observe(double value);
  /// In seconds.
  void observe(Duration time) { observe(std::chrono::duration<double>(time).count()); }

  struct Reading {
    struct Bucket {
      double bound;
      std::uint64_t up_to;  ///< values of at most `bound`
    };
    std::vector<Bucket> buckets;
    std::uint64_t count = 0;
    double sum = 0;
  };
  Reading read() const;

 private:
  const std::vector<double> bounds_;
  std::vector<std::atomic<std::uint64_t>> counts_;  ///< one a bound, and one for what is larger
  std::atomic<double> sum_{0};
};

}  // namespace millrace
