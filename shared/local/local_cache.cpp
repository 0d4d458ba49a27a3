#include "shared/local/local_cache.h"

namespace millrace {

class LocalCache::Port final : public SharedCache {
 public:
  Port(LocalCache& cache, Clock& clock) : cache_(cache), clock_(clock) {}

  Task<Result<std::optional<std::string>>> get(std::string name) override {
    if (name.size() > cache_name_bytes_max) co_return Failure(Errc::invalid);
    co_return cache_.get(name, clock_.now());
  }

  Task<Result<>> set(std::string name, std::string value, Duration ttl) override {
    if (!fits(name, value)) co_return Failure(Errc::invalid);
    cache_.set(std::move(name), std::move(value), clock_.now() + ttl);
    co_return Result<>{};
  }

  Task<Result<bool>> add(std::string name, std::string value, Duration ttl) override {
    if (!fits(name, value)) co_return Failure(Errc::invalid);
    const Instant now = clock_.now();
    co_return cache_.add(std::move(name), std::move(value), now, now + ttl);
  }

  Task<Result<>> remove(std::string name) override {
    cache_.remove(name);
    co_return Result<>{};
  }

  Task<Result<TokensTaken>> take(std::string bucket, TokenRate rate,
                                 std::uint32_t wanted) override {
    if (bucket.size() > cache_name_bytes_max) co_return Failure(Errc::invalid);
    co_return cache_.take(std::move(bucket), rate, wanted, clock_.now());
  }

 private:
  static bool fits(const std::string& name, const std::string& value) {
    return name.size() <= cache_name_bytes_max && value.size() <= cache_value_bytes_max;
  }

  LocalCache& cache_;
  Clock& clock_;
};

std::unique_ptr<SharedCache> LocalCache::port(Clock& clock) {
  return std::make_unique<Port>(*this, clock);
}

std::optional<std::string> LocalCache::get(const std::string& name, Instant now) {
  const std::scoped_lock lock(mutex_);
  const auto* value = values_.find(name);
  if (!value) return std::nullopt;
  if (now < value->until) return value->text;
  drop(name, *value);
  return std::nullopt;
}

void LocalCache::set(std::string name, std::string value, Instant until) {
  const std::scoped_lock lock(mutex_);
  put(std::move(name), std::move(value), until);
}

bool LocalCache::add(std::string name, std::string value, Instant now, Instant until) {
  const std::scoped_lock lock(mutex_);
  const auto* standing = values_.find(name);
  if (standing && now < standing->until) return false;
  put(std::move(name), std::move(value), until);
  return true;
}

/// Under the lock.
void LocalCache::put(std::string name, std::string value, Instant until) {
  if (const auto* old = values_.find(name)) drop(name, *old);
  bytes_ += name.size() + value.size();
  values_.add(std::move(name), {std::move(value), until});
  while (bytes_ > limits_.bytes_max) {
    const std::string oldest = values_.oldest().name;
    drop(oldest, values_.oldest().value);
  }
}

void LocalCache::remove(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  if (const auto* value = values_.find(name)) drop(name, *value);
}

TokensTaken LocalCache::take(std::string bucket, TokenRate rate, std::uint32_t wanted,
                             Instant now) {
  const std::scoped_lock lock(mutex_);
  auto* held = buckets_.find(bucket);
  if (!held) held = &buckets_.add(std::move(bucket), TokenBucket(rate, now));
  const auto taken = held->take(rate, wanted, now);
  while (buckets_.size() > limits_.buckets_max) {
    const std::string oldest = buckets_.oldest().name;
    buckets_.erase(oldest);
  }
  return taken;
}

void LocalCache::drop(std::string_view name, const Value& value) {
  bytes_ -= name.size() + value.text.size();
  values_.erase(name);
}

}  // namespace millrace
