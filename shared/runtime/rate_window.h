#pragma once
#include <cstdint>
#include <deque>

#include "shared/runtime/time.h"

namespace millrace {

/// How fast a rising count rose over the last minute.
class RateWindow {
 public:
  void add(Instant when, std::int64_t count);
  /// 0 until 5 s are known, and where the count fell.
  double per_second() const;

 private:
  struct Sample {
    Instant when;
    std::int64_t count;
  };
  std::deque<Sample> samples_;
};

}  // namespace millrace
