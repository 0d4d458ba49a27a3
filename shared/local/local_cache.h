#pragma once
#include <memory>
#include <mutex>

#include "shared/runtime/clock.h"
#include "shared/runtime/recently_used.h"
#include "shared/shared_cache.h"

namespace millrace {

/// The SharedCache of one process: its memory, which every loop asks through a port of its own.
/// Bounded: what was not asked for for longest makes room. Thread-safe, held for microseconds; the
/// loops' clocks must agree. Outlives its ports.
class LocalCache {
 public:
  struct Limits {
    std::size_t bytes_max = 64 * 1024 * 1024;  ///< of names and values
    std::size_t buckets_max = 100'000;
  };
  LocalCache() : LocalCache(Limits{}) {}
  explicit LocalCache(Limits limits) : limits_(limits) {}

  std::unique_ptr<SharedCache> port(Clock& clock);

 private:
  class Port;
  struct Value {
    std::string text;
    Instant until;
  };

  std::optional<std::string> get(const std::string& name, Instant now);
  void set(std::string name, std::string value, Instant until);
  bool add(std::string name, std::string value, Instant now, Instant until);
  void put(std::string name, std::string value, Instant until);
  void remove(const std::string& name);
  TokensTaken take(std::string bucket, TokenRate rate, std::uint32_t wanted, Instant now);
  void drop(std::string_view name, const Value& value);

  const Limits limits_;
  std::mutex mutex_;
  RecentlyUsed<Value> values_;
  std::size_t bytes_ = 0;
  RecentlyUsed<TokenBucket> buckets_;
};

}  // namespace millrace
