#pragma once
#include <atomic>
#include <cstdint>

namespace millrace::relay {

/// What the relays of all loops count together.
struct RelayMetrics {
  std::atomic<std::int64_t> connections{0};   ///< streams open now
  std::atomic<std::int64_t> jobs_watched{0};  ///< now
  std::atomic<std::uint64_t> events_sent{0};
  std::atomic<std::uint64_t> bytes_sent{0};
  std::atomic<std::uint64_t> heartbeats_sent{0};
  std::atomic<std::uint64_t> readers_cut{0};  ///< too slow; they may come back to their place
  std::atomic<std::uint64_t> log_reads{0};    ///< pages asked of the event log
  std::atomic<std::uint64_t> jumps{0};        ///< live events that were missing, then read
};

template <class Number>
void add(std::atomic<Number>& counter, std::int64_t count) {
  counter.fetch_add(static_cast<Number>(count), std::memory_order_relaxed);
}

}  // namespace millrace::relay
