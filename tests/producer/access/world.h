#pragma once
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <optional>

#include "producer/access/edge_gate.h"
#include "shared/local/local_cache.h"
#include "shared/runtime/virtual_clock.h"
#include "tests/producer/access/fake_keys.h"

namespace millrace::access::test {

/// A SharedCache that can be away, and counts who asks.
class FlakyCache final : public SharedCache {
 public:
  explicit FlakyCache(Clock& clock) : to_(cache_.port(clock)) {}
  bool away = false;
  int asked = 0;

  Task<Result<std::optional<std::string>>> get(std::string name) override {
    return to_->get(std::move(name));
  }
  Task<Result<>> set(std::string name, std::string value, Duration ttl) override {
    return to_->set(std::move(name), std::move(value), ttl);
  }
  Task<Result<bool>> add(std::string name, std::string value, Duration ttl) override {
    return to_->add(std::move(name), std::move(value), ttl);
  }
  Task<Result<>> remove(std::string name) override { return to_->remove(std::move(name)); }
  Task<Result<TokensTaken>> take(std::string bucket, TokenRate rate,
                                 std::uint32_t wanted) override {
    ++asked;
    if (away) co_return Failure(Errc::unavailable);
    co_return co_await to_->take(std::move(bucket), rate, wanted);
  }

 private:
  LocalCache cache_;
  std::unique_ptr<SharedCache> to_;
};

struct World : testing::Test {
  asio::io_context loop{1};
  VirtualClock clock{loop};
  FlakyCache cache{clock};
  RateLimiter limiter{cache, clock};

  /// What the task answers, without time passing.
  template <class T>
  T get(Task<T> task) {
    std::optional<T> answer;
    asio::co_spawn(loop, std::move(task), [&](std::exception_ptr thrown, T value) {
      if (thrown) std::rethrow_exception(thrown);
      answer = std::move(value);
    });
    clock.run_for(0s);
    return std::move(answer.value());
  }
};

}  // namespace millrace::access::test
