#pragma once
#include <atomic>

#include "bench/load/options.h"

/// Publishes `options.events` events at `options.rate`, round robin over the channels, each with
/// the marker `~<monotonic ns>~` in its payload. Blocking: runs on a thread of its own. Returns
/// how many were acknowledged.
std::int64_t publish(const Options& options, const std::atomic<bool>& stop);
