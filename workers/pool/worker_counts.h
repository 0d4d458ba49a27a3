#pragma once
#include <atomic>
#include <cstdint>

namespace millrace {

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
  Count given_back{0};      ///< handed over, fenced, or nothing could be done
  Count events{0};          ///< written
  Count appends{0};         ///< writes that carried them
  Count turns{0};           ///< asked of the model
  Count turn_us{0};         ///< their time in all
  Count first_tokens{0};    ///< turns that said something
  Count first_token_us{0};  ///< their waits for it in all
  Count prefilled{0};       ///< turns that went on from their text
  Count rewound{0};         ///< turns that started over

  static void add(Count& count, std::uint64_t by = 1) {
    count.fetch_add(by, std::memory_order_relaxed);
  }
};

}  // namespace millrace
