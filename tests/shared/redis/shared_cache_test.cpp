#include "shared/redis/shared_cache.h"

#include "tests/seams/shared_cache_suite.h"
#include "tests/shared/redis/redis_server.h"

namespace millrace {
namespace {

class RedisCacheWorld final : public SharedCacheWorld {
 public:
  std::unique_ptr<SharedCache> port(Clock& clock) override {
    return std::make_unique<RedisSharedCache>(clock, server.url());
  }
  Task<> run(SharedCache& port) override { return static_cast<RedisSharedCache&>(port).run(); }

  RedisServer server;
};

std::unique_ptr<SharedCacheWorld> make_redis_world() {
  return std::make_unique<RedisCacheWorld>();
}

INSTANTIATE_TEST_SUITE_P(Redis, SharedCacheSuite, testing::Values(make_redis_world));

struct RedisSharedCacheFaults : SharedCacheSuite {
  RedisServer& server() { return static_cast<RedisCacheWorld&>(*world).server; }
};

TEST_P(RedisSharedCacheFaults, AServerThatForgotTheScriptIsSentItAgain) {
  const TokenRate rate{.per_s = 0.001, .burst = 2};
  EXPECT_EQ(take(*cache, rate, 1).taken, 1);
  server().command("SCRIPT FLUSH");
  EXPECT_EQ(take(*cache, rate, 5).taken, 1);
}

TEST_P(RedisSharedCacheFaults, AServerThatIsAwayIsToldAtOnce) {
  EXPECT_EQ(loop.get(cache->get("t/x")).error(), Errc::unavailable);
  EXPECT_EQ(loop.get(cache->take("t/x", {}, 1)).error(), Errc::unavailable);
}

TEST_P(RedisSharedCacheFaults, AServerThatRefusesIsUnavailable) {
  ASSERT_TRUE(get(cache->set("t/x", "1", 1h)));
  server().command("CONFIG SET maxmemory 1");
  EXPECT_EQ(get(cache->set("t/y", "1", 1h)).error(), Errc::unavailable);
  EXPECT_EQ(get(cache->take("t/y", {}, 1)).error(), Errc::unavailable);
}

TEST_P(RedisSharedCacheFaults, ABucketThatIsFullAgainTakesNoMemory) {
  EXPECT_EQ(take(*cache, {.per_s = 1000, .burst = 1}, 1, "t/b").taken, 1);
  const auto left = server().command("PTTL mr:bucket:t/b");
  ASSERT_TRUE(left.starts_with(':')) << left;
  EXPECT_GT(std::stoi(left.substr(1)), 0);
  EXPECT_LE(std::stoi(left.substr(1)), 1001);
}

INSTANTIATE_TEST_SUITE_P(Redis, RedisSharedCacheFaults, testing::Values(make_redis_world));

}  // namespace
}  // namespace millrace
