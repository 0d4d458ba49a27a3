#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "shared/api_keys.h"
#include "tests/seams/test_loop.h"

/// What every Store promises of API keys. An adapter's test program includes this file once and
/// adds `INSTANTIATE_TEST_SUITE_P(Name, ApiKeysSuite, testing::Values(make_world))`.
namespace millrace {

/// One truth, empty at first.
class ApiKeysWorld {
 public:
  virtual ~ApiKeysWorld() = default;
  virtual std::unique_ptr<ApiKeys> keys(Clock& clock) = 0;
};

using MakeApiKeysWorld = std::unique_ptr<ApiKeysWorld> (*)();

class ApiKeysSuite : public testing::TestWithParam<MakeApiKeysWorld> {
 protected:
  static ApiKey key(std::uint8_t number, std::string tenant = "default") {
    ApiKey made;
    made.hash.bytes.fill(number);
    made.tenant = std::move(tenant);
    made.name = "이름";
    made.scopes = {Scope::submit, Scope::admin};
    made.created_at = WallTime(std::chrono::milliseconds(1'767'225'600'000 + number));
    return made;
  }
  std::vector<std::string> ids_since(std::int64_t version, std::uint32_t limit = 100) {
    const auto found = loop.get(keys->changed_since(version, limit));
    EXPECT_TRUE(found);
    std::vector<std::string> ids;
    if (found)
      for (const auto& each : *found) ids.push_back(each.id);
    return ids;
  }
  using Ids = std::vector<std::string>;

  TestLoop loop;
  std::unique_ptr<ApiKeysWorld> world = GetParam()();
  std::unique_ptr<ApiKeys> keys = world->keys(loop.clock());
  const WallTime later{std::chrono::milliseconds(1'767'312'000'000)};
};

TEST_P(ApiKeysSuite, AKeyIsFoundAsItWasMade) {
  ApiKey asked = key(1, "acme");
  asked.rate = TokenRate{.per_s = 2.5, .burst = 7};
  const auto made = loop.get(keys->add(asked));
  ASSERT_TRUE(made);
  EXPECT_EQ(made->id, key_id(asked.hash));
  EXPECT_EQ(made->version, 1);
  const auto found = loop.get(keys->changed_since(0, 10));
  ASSERT_TRUE(found && found->size() == 1);
  const ApiKey& kept = found->front();
  EXPECT_EQ(kept.id, made->id);
  EXPECT_EQ(kept.hash, asked.hash);
  EXPECT_EQ(kept.tenant, "acme");
  EXPECT_EQ(kept.name, asked.name);
  EXPECT_EQ(kept.scopes, asked.scopes);
  EXPECT_EQ(kept.rate, asked.rate);
  EXPECT_EQ(kept.created_at, asked.created_at);
  EXPECT_EQ(kept.last_used, std::nullopt);
  EXPECT_EQ(kept.revoked_at, std::nullopt);
}

TEST_P(ApiKeysSuite, TheSameKeyTwiceIsAConflictAndChangesNothing) {
  ASSERT_TRUE(loop.get(keys->add(key(1, "acme"))));
  EXPECT_EQ(loop.get(keys->add(key(1, "other"))).error(), Errc::conflict);
  const auto found = loop.get(keys->changed_since(0, 10));
  ASSERT_TRUE(found && found->size() == 1);
  EXPECT_EQ(found->front().tenant, "acme");
}

TEST_P(ApiKeysSuite, ARevokedKeyIsToldAsAChangeOnce) {
  const auto first = loop.get(keys->add(key(1)));
  const auto second = loop.get(keys->add(key(2)));
  ASSERT_TRUE(first && second);
  const auto revoked = loop.get(keys->revoke(first->id, later));
  ASSERT_TRUE(revoked);
  EXPECT_EQ(revoked->revoked_at, later);
  EXPECT_GT(revoked->version, second->version);
  EXPECT_EQ(ids_since(second->version), Ids{first->id});
  const auto again = loop.get(keys->revoke(first->id, later + 1h));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->revoked_at, later) << "the first time stands";
  EXPECT_EQ(again->version, revoked->version);
  EXPECT_EQ(loop.get(keys->revoke("key_0000000000000000", later)).error(), Errc::not_found);
}

TEST_P(ApiKeysSuite, ChangesAreReadPageByPage) {
  Ids made;
  for (std::uint8_t i = 1; i <= 5; ++i) {
    const auto one = loop.get(keys->add(key(i)));
    ASSERT_TRUE(one);
    made.push_back(one->id);
  }
  EXPECT_EQ(ids_since(0, 2), (Ids{made[0], made[1]}));
  EXPECT_EQ(ids_since(2, 2), (Ids{made[2], made[3]}));
  EXPECT_EQ(ids_since(4, 2), Ids{made[4]});
  EXPECT_EQ(ids_since(5, 2), Ids{});
}

TEST_P(ApiKeysSuite, AUseIsNotedAndIsNoChange) {
  const auto made = loop.get(keys->add(key(1)));
  ASSERT_TRUE(made);
  keys->note_used(made->id, later);
  keys->note_used(made->id, later - 1h);
  keys->note_used("key_unknown", later);
  ASSERT_TRUE(loop.get(keys->add(key(2)))) << "behind what was noted";
  const auto found = loop.get(keys->changed_since(0, 10));
  ASSERT_TRUE(found && found->size() == 2);
  EXPECT_EQ(found->front().last_used, later);
  EXPECT_EQ(found->front().version, made->version);
}

TEST_P(ApiKeysSuite, KeysMadeAtOnceHaveVersionsOfTheirOwn) {
  auto other = world->keys(loop.clock());
  std::vector<Task<>> tasks;
  const auto add = [](ApiKeys& to, ApiKey made) -> Task<> {
    const auto done = co_await to.add(std::move(made));
    EXPECT_TRUE(done);
  };
  for (std::uint8_t i = 1; i <= 20; ++i) tasks.push_back(add(i % 2 ? *keys : *other, key(i)));
  loop.run(std::move(tasks));
  EXPECT_EQ(ids_since(0).size(), 20);
  EXPECT_EQ(ids_since(19).size(), 1);
}

}  // namespace millrace
