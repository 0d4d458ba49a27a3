#include "shared/local/local_cache.h"

#include "shared/runtime/virtual_clock.h"
#include "tests/seams/shared_cache_suite.h"

namespace millrace {
namespace {

class LocalWorld final : public SharedCacheWorld {
 public:
  std::unique_ptr<SharedCache> port(Clock& clock) override { return cache_.port(clock); }
  Task<> run(SharedCache&) override { co_return; }

 private:
  LocalCache cache_;
};

std::unique_ptr<SharedCacheWorld> make_local_world() {
  return std::make_unique<LocalWorld>();
}

INSTANTIATE_TEST_SUITE_P(Local, SharedCacheSuite, testing::Values(make_local_world));

struct LocalCacheBounds : testing::Test {
  TestLoop loop;
  LocalCache cache{{.bytes_max = 100, .buckets_max = 2}};
  std::unique_ptr<SharedCache> port = cache.port(loop.clock());
  const TokenRate one{.per_s = 0.001, .burst = 1};
};

TEST_F(LocalCacheBounds, TheValueNotAskedForForLongestMakesRoom) {
  ASSERT_TRUE(loop.get(port->set("a", std::string(40, '1'), 1h)));
  ASSERT_TRUE(loop.get(port->set("b", std::string(40, '2'), 1h)));
  EXPECT_TRUE(loop.get(port->get("a")).value());
  ASSERT_TRUE(loop.get(port->set("c", std::string(40, '3'), 1h)));
  EXPECT_TRUE(loop.get(port->get("a")).value());
  EXPECT_FALSE(loop.get(port->get("b")).value());
  EXPECT_TRUE(loop.get(port->get("c")).value());
}

TEST_F(LocalCacheBounds, AValueThatIsSetAgainCountsOnce) {
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(loop.get(port->set("a", std::string(40, '1'), 1h)));
  ASSERT_TRUE(loop.get(port->set("b", std::string(40, '2'), 1h)));
  EXPECT_TRUE(loop.get(port->get("a")).value());
}

TEST_F(LocalCacheBounds, AValueAboveAllRoomIsNotKeptAndDropsAllOthers) {
  ASSERT_TRUE(loop.get(port->set("a", std::string(200, '1'), 1h)));
  EXPECT_FALSE(loop.get(port->get("a")).value());
}

TEST_F(LocalCacheBounds, TheBucketNotAskedForForLongestMakesRoom) {
  for (const char* bucket : {"a", "b", "a", "c"}) (void)loop.get(port->take(bucket, one, 1));
  EXPECT_EQ(loop.get(port->take("a", one, 1))->taken, 0) << "remembered as empty";
  EXPECT_EQ(loop.get(port->take("b", one, 1))->taken, 1) << "forgotten: full again";
}

}  // namespace
}  // namespace millrace
