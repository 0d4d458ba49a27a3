#include "producer/access/key_book.h"

#include "tests/producer/access/world.h"

namespace millrace::access {
namespace {

struct Book : test::World {
  Book() {
    asio::co_spawn(loop, nursery.join(), [](std::exception_ptr) {});
    nursery.start(book.run());
  }
  ~Book() override {
    nursery.stop();
    clock.run_for(1s);
  }
  test::FakeKeys keys;
  KeyBook book{keys, clock};
  Nursery nursery{clock};
};

TEST_F(Book, KnowsAKeyByItsTextAlone) {
  const auto text = keys.make("acme");
  EXPECT_EQ(book.find(text), nullptr);
  EXPECT_FALSE(book.known());
  clock.run_for(1ms);
  EXPECT_TRUE(book.known());
  ASSERT_NE(book.find(text), nullptr);
  EXPECT_EQ(book.find(text)->tenant, "acme");
  auto near = text;
  near.back() = near.back() == '0' ? '1' : '0';
  for (const auto& wrong : {near, std::string(), std::string("mr_"), text + "0", text.substr(1),
                            hash_of_key(text)->str(), "mr_" + hash_of_key(text)->str()})
    EXPECT_EQ(book.find(wrong), nullptr) << wrong;
}

TEST_F(Book, HearsOfNewAndOfRevokedKeysWithinTwoSeconds) {
  clock.run_for(1ms);
  EXPECT_FALSE(book.any());
  const auto text = keys.make("acme");
  clock.run_for(keys_read_every);
  EXPECT_NE(book.find(text), nullptr);
  keys.revoke_text(text);
  clock.run_for(keys_read_every);
  EXPECT_EQ(book.find(text), nullptr);
  EXPECT_TRUE(book.any()) << "a key was made";
}

TEST_F(Book, ReadsManyKeysPageByPage) {
  std::string last;
  for (int i = 0; i < 2500; ++i) last = keys.make("acme");
  clock.run_for(1ms);
  EXPECT_TRUE(book.known());
  EXPECT_NE(book.find(last), nullptr);
  EXPECT_EQ(keys.reads, 3);
}

TEST_F(Book, KeysKnownLastGoOnWhileTheStoreIsAway) {
  const auto text = keys.make("acme");
  clock.run_for(1ms);
  keys.away = true;
  clock.run_for(1h);
  EXPECT_NE(book.find(text), nullptr);
}

TEST_F(Book, TheUseOfAKeyIsNotedOnceAMinute) {
  const auto text = keys.make("acme");
  const auto unused = keys.make("acme");
  clock.run_for(1ms);
  (void)book.find(text);
  EXPECT_TRUE(keys.used.empty()) << "no request waits for it";
  clock.run_for(uses_noted_every + keys_read_every);
  EXPECT_EQ(keys.used.size(), 1);
  EXPECT_TRUE(keys.used.contains(key_id(hash_of_key(text).value())));
}

TEST_F(Book, TheLastUseOfARevokedKeyIsNotedAtOnce) {
  const auto text = keys.make("acme");
  clock.run_for(1ms);
  (void)book.find(text);
  keys.revoke_text(text);
  clock.run_for(keys_read_every);
  EXPECT_TRUE(keys.used.contains(key_id(hash_of_key(text).value())));
}

TEST(ApiKeyText, EveryKeyIsAnother) {
  SystemRandom random;
  const auto one = new_api_key(random);
  EXPECT_EQ(one.size(), 67);
  EXPECT_NE(one, new_api_key(random));
  EXPECT_TRUE(hash_of_key(one));
}

TEST(ApiKeyText, ScopesAndTenantsAreReadAndShown) {
  EXPECT_EQ(Scopes::parse("read,submit").value().str(), "submit,read");
  EXPECT_EQ(Scopes::parse("admin").value(), Scopes{Scope::admin});
  for (const char* wrong : {"", "all", "read,", ",read", "read submit", "Read"})
    EXPECT_FALSE(Scopes::parse(wrong)) << wrong;
  for (const char* good : {"default", "a", "team-1.prod_x", "9"}) EXPECT_TRUE(is_tenant_name(good));
  for (const char* wrong : {"", "-", "-a", "a/b", "a b", "a:b", "ä", "{a}"})
    EXPECT_FALSE(is_tenant_name(wrong)) << wrong;
  EXPECT_FALSE(is_tenant_name(std::string(65, 'a')));
}

}  // namespace
}  // namespace millrace::access
