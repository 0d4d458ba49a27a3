#pragma once
#include <atomic>
#include <cstdint>

namespace millrace {

/// What the sender of a process has done, for /metrics. Written by its loop, read by any.
struct WebhookCounts {
  using Count = std::atomic<std::uint64_t>;
  Count delivered{0};
  Count failed{0};     ///< given up
  Count retried{0};    ///< tries that failed and come again
  Count in_flight{0};  ///< now
  Count pending{0};    ///< of all processes, as of a few seconds ago
};

}  // namespace millrace
