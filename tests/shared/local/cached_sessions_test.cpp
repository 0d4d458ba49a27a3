#include "shared/cached_sessions.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <optional>

#include "shared/local/local_cache.h"
#include "shared/runtime/virtual_clock.h"

namespace millrace {
namespace {

/// A Store with one session, which counts who looks at it.
class OneSession final : public Sessions {
 public:
  OneSession(Clock& clock, Session session) : clock_(clock), session_(std::move(session)) {}

  bool there = true;
  int looks = 0;
  Duration takes{};

  Task<Result<Session>> create(std::string_view, std::string_view, std::string_view) override {
    co_return Failure(Errc::conflict);
  }
  Task<Result<Session>> access(std::string_view tenant, std::string_view id) override {
    const bool found = there && tenant == session_.tenant && id == session_.id;
    ++looks;
    co_await clock_.sleep_for(takes);
    if (!found) co_return Failure(Errc::not_found);
    session_.last_accessed = clock_.wall();
    co_return session_;
  }
  Task<Result<>> remove(std::string_view tenant, std::string_view id) override {
    const bool found = tenant == session_.tenant && id == session_.id;
    if (!found || !std::exchange(there, false)) co_return Failure(Errc::not_found);
    co_return Result<>();
  }
  Task<Result<Message>> ask(const Job&, std::string_view) override {
    co_return Failure(Errc::unavailable);
  }
  Task<Result<>> withdraw(const Job&) override { co_return Result<>(); }
  Task<Result<std::vector<Message>>> messages(std::string_view, std::string_view, std::uint32_t,
                                              std::optional<JobId>) override {
    co_return Failure(Errc::unavailable);
  }
  Task<Result<Summary>> summary(std::string_view, std::string_view) override {
    co_return Summary{.text = "short", .upto = "m"};
  }
  Task<Result<>> keep_summary(std::string_view, std::string_view, const Summary&) override {
    co_return Failure(Errc::not_found);
  }

 private:
  Clock& clock_;
  Session session_;
};

/// That may be away.
class CacheOfTheTest final : public SharedCache {
 public:
  explicit CacheOfTheTest(Clock& clock) : to_(all_->port(clock)), clock_(clock) {}
  bool away = false;

  void forget_all() {
    to_.reset();
    all_ = std::make_unique<LocalCache>();
    to_ = all_->port(clock_);
  }
  Task<Result<std::optional<std::string>>> get(std::string name) override {
    if (away) co_return Failure(Errc::unavailable);
    co_return co_await to_->get(std::move(name));
  }
  Task<Result<>> set(std::string name, std::string value, Duration ttl) override {
    if (away) co_return Failure(Errc::unavailable);
    co_return co_await to_->set(std::move(name), std::move(value), ttl);
  }
  Task<Result<bool>> add(std::string name, std::string value, Duration ttl) override {
    if (away) co_return Failure(Errc::unavailable);
    co_return co_await to_->add(std::move(name), std::move(value), ttl);
  }
  Task<Result<>> remove(std::string name) override { return to_->remove(std::move(name)); }
  Task<Result<TokensTaken>> take(std::string bucket, TokenRate rate,
                                 std::uint32_t wanted) override {
    return to_->take(std::move(bucket), rate, wanted);
  }

 private:
  std::unique_ptr<LocalCache> all_ = std::make_unique<LocalCache>();
  std::unique_ptr<SharedCache> to_;
  Clock& clock_;
};

struct CachedSessionsTest : testing::Test {
  asio::io_context loop{1};
  VirtualClock clock{loop};
  CacheOfTheTest cache{clock};
  OneSession* store = nullptr;  ///< of `sessions`
  CachedSessions sessions{clock, made(), cache, 24h};

  std::unique_ptr<Sessions> made() {
    auto one = std::make_unique<OneSession>(
        clock, Session{.id = "s", .created_at = clock.wall(), .metadata = R"({"a": "나 b"})"});
    store = one.get();
    return one;
  }
  /// What the task answers; time passes where the Store takes some.
  template <class T>
  T get(Task<T> task) {
    std::optional<T> answer;
    asio::co_spawn(loop, std::move(task), [&](std::exception_ptr thrown, T value) {
      if (thrown) std::rethrow_exception(thrown);
      answer = std::move(value);
    });
    clock.run_for(store->takes);
    return std::move(answer.value());
  }
  Result<Session> accessed(const char* tenant = "default", const char* id = "s") {
    return get(sessions.access(tenant, id));
  }
};

TEST_F(CachedSessionsTest, ASessionThatIsLookedAtAgainIsNotAskedOfTheStore) {
  const auto first = accessed();
  ASSERT_TRUE(first);
  clock.run_for(59min);
  const auto again = accessed();
  ASSERT_TRUE(again);
  EXPECT_EQ(store->looks, 1);
  EXPECT_EQ(again->id, "s");
  EXPECT_EQ(again->tenant, "default");
  EXPECT_EQ(again->metadata, R"({"a": "나 b"})");
  EXPECT_EQ(again->created_at, first->created_at);
  EXPECT_EQ(again->last_accessed, clock.wall());
}

TEST_F(CachedSessionsTest, TheStoreHearsOfAnAccessEachHourAndKeepsASessionForThatMuchLonger) {
  ASSERT_TRUE(accessed());
  clock.run_for(1h);
  ASSERT_TRUE(accessed());
  EXPECT_EQ(store->looks, 2);
  EXPECT_EQ(CachedSessions::kept_for(24h), 25h);
  EXPECT_EQ(CachedSessions::kept_for(48min), 50min);
  EXPECT_EQ(CachedSessions::kept_for(30 * 24h), 30 * 24h + 1h);
}

TEST_F(CachedSessionsTest, WhatTheStoreTookToAnswerIsNotRememberedOnTop) {
  store->takes = 15s;
  ASSERT_TRUE(accessed());
  clock.run_for(1h - 15s);
  ASSERT_TRUE(accessed());
  EXPECT_EQ(store->looks, 2);
}

TEST_F(CachedSessionsTest, ADeletedSessionIsGoneAtOnceThoughItWasRemembered) {
  ASSERT_TRUE(accessed());
  ASSERT_TRUE(get(sessions.remove("default", "s")));
  EXPECT_EQ(accessed().error(), Errc::not_found);
  EXPECT_EQ(get(sessions.remove("default", "s")).error(), Errc::not_found);
}

TEST_F(CachedSessionsTest, WhoReadASessionJustBeforeItWasDeletedDoesNotBringItBack) {
  for (const Duration takes : {Duration(1ms), Duration(19s), Duration(2min)}) {
    store->there = true;
    store->takes = takes;
    bool answered = false;
    asio::co_spawn(loop, sessions.access("default", "s"),
                   [&](std::exception_ptr, const Result<Session>& found) {
                     EXPECT_TRUE(found);
                     answered = true;
                   });
    clock.run_for(takes / 2);
    ASSERT_TRUE(get(sessions.remove("default", "s")));
    clock.run_for(takes);
    EXPECT_TRUE(answered);
    EXPECT_EQ(accessed().error(), Errc::not_found) << takes / 1ms << " ms";
  }
}

TEST_F(CachedSessionsTest, WhereTheCacheIsAwayTheStoreIsAskedAndNothingIsDeleted) {
  ASSERT_TRUE(accessed());
  cache.away = true;
  ASSERT_TRUE(accessed());
  EXPECT_EQ(store->looks, 2);
  EXPECT_EQ(get(sessions.remove("default", "s")).error(), Errc::unavailable);
  EXPECT_TRUE(store->there) << "others would go on to find it in the cache";
  cache.away = false;
  EXPECT_TRUE(get(sessions.remove("default", "s")));
}

TEST_F(CachedSessionsTest, ACacheThatHasForgottenEverythingCostsOneLook) {
  ASSERT_TRUE(accessed());
  cache.forget_all();
  ASSERT_TRUE(accessed());
  ASSERT_TRUE(accessed());
  EXPECT_EQ(store->looks, 2);
}

TEST_F(CachedSessionsTest, AnotherTenantsSessionIsNotFoundAndANameAsLongAsYouLikeIsAsked) {
  ASSERT_TRUE(accessed());
  EXPECT_EQ(accessed("other").error(), Errc::not_found);
  EXPECT_EQ(accessed("default/session", "s").error(), Errc::not_found);
  const std::string long_id(2 * cache_name_bytes_max, 'x');
  EXPECT_EQ(accessed("default", long_id.c_str()).error(), Errc::not_found);
  EXPECT_EQ(get(sessions.remove("default", long_id)).error(), Errc::not_found);
}

}  // namespace
}  // namespace millrace
