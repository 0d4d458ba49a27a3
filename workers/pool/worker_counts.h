#pragma once
#include <array>
#include <atomic>
#include <cstdint>

#include "shared/runtime/histogram.h"
#include "shared/runtime/limits.h"

namespace millrace {

/// From a token of a local model to the longest turn there may be.
inline constexpr std::array<double, 14> seconds_bounds{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                                       1,     2.5,  5,     10,   30,  120,  900};
/// Up to what one append may join.
inline constexpr std::array<double, 10> append_size_bounds{1, 2, 4, 8, 16, 32, 64, 128, 256, 512};
static_assert(append_size_bounds.back() == limits::append_events_max);

/// What the workers of a process have done, for /metrics. Written by every loop, read by any.
struct WorkerCounts {
  using Count = std::atomic<std::uint64_t>;
  Count in_flight{0};
  Count runs{0};  ///< begun
  Count succeeded{0};
  Count failed{0};
  Count cancelled{0};
  Count expired{0};
  Count retried{0};
  Count given_back{0};  ///< handed over, fenced, or nothing could be done
  Count prefilled{0};   ///< turns that went on from their text
  Count rewound{0};     ///< turns that started over

  Histogram append_events{append_size_bounds};  ///< events written together
  Histogram first_event{seconds_bounds};        ///< from acceptance to a job's first `started`
  Histogram turn{seconds_bounds};               ///< asked of the model, however it ended
  Histogram first_token{seconds_bounds};        ///< the wait for a turn's first words

  static void add(Count& count, std::uint64_t by = 1) {
    count.fetch_add(by, std::memory_order_relaxed);
  }
};

}  // namespace millrace
