#include "shared/runtime/histogram.h"

#include <algorithm>

namespace millrace {

void Histogram::observe(double value) {
  const auto bucket = std::ranges::lower_bound(bounds_, value) - bounds_.begin();
  counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

Histogram::Reading Histogram::read() const {
  Reading reading;
  reading.sum = sum_.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < bounds_.size(); ++i) {
    reading.count += counts_[i].load(std::memory_order_relaxed);
    reading.buckets.push_back({.bound = bounds_[i], .up_to = reading.count});
  }
  reading.count += counts_.back().load(std::memory_order_relaxed);
  return reading;
}

}  // namespace millrace
