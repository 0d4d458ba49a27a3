#include "tests/seams/sessions_suite.h"

#include <mutex>

#include "shared/cached_sessions.h"
#include "shared/local/local_cache.h"
#include "shared/sqlite/database.h"
#include "shared/sqlite/sqlite_store.h"
#include "tests/shared/sqlite/temporary_folder.h"

namespace millrace {
namespace {

class SqliteWorld final : public SessionsWorld {
 public:
  std::unique_ptr<Store> store(Clock& clock) override { return store_.port(clock); }
  std::unique_ptr<Sessions> sessions(Clock& clock, Duration timeout) override {
    return store_.sessions(clock, timeout);
  }
  Task<> remove_old(Clock& clock, Duration timeout) override {
    return store_.remove_old_sessions(clock, timeout);
  }
  std::optional<std::vector<std::string>> history() override {
    auto database = sqlite::Database::open(folder_.path("store.db"), sqlite::Database::Mode::read);
    sqlite::Statement select(
        "SELECT session_id || '|' || user_message || '|' || coalesce(assistant_message, '') || '|'"
        " || tools_used || '|' || coalesce(model_used, '') || '|' || coalesce(tokens_used, '')"
        " || '|' || CASE WHEN cost IS NULL THEN '' ELSE rtrim(printf('%.12f', cost), '0') END"
        " FROM chat_history ORDER BY id");
    auto query = select.on(*database);
    std::vector<std::string> lines;
    while (query.step().value()) lines.push_back(query.text(0));
    return lines;
  }

 private:
  TemporaryFolder folder_;
  SystemRandom random_;
  SqliteStore store_{folder_.path("store.db"), random_, suite_prices()};
};

std::unique_ptr<SessionsWorld> make_sqlite_world() {
  return std::make_unique<SqliteWorld>();
}

class CachedWorld final : public SessionsWorld {
 public:
  std::unique_ptr<Store> store(Clock& clock) override { return world_.store(clock); }
  std::unique_ptr<Sessions> sessions(Clock& clock, Duration timeout) override {
    auto kept = world_.sessions(clock, CachedSessions::kept_for(timeout));
    const std::scoped_lock lock(mutex_);
    auto& port = ports_.emplace_back(cache_.port(clock));
    return std::make_unique<CachedSessions>(clock, std::move(kept), *port, timeout);
  }
  Task<> remove_old(Clock& clock, Duration timeout) override {
    return world_.remove_old(clock, CachedSessions::kept_for(timeout));
  }
  std::optional<std::vector<std::string>> history() override { return world_.history(); }

 private:
  SqliteWorld world_;
  LocalCache cache_;
  std::mutex mutex_;  ///< loops make their ports at once
  std::vector<std::unique_ptr<SharedCache>> ports_;
};

std::unique_ptr<SessionsWorld> make_cached_world() {
  return std::make_unique<CachedWorld>();
}

INSTANTIATE_TEST_SUITE_P(Sqlite, SessionsSuite, testing::Values(make_sqlite_world));
INSTANTIATE_TEST_SUITE_P(Cached, SessionsSuite, testing::Values(make_cached_world));

}  // namespace
}  // namespace millrace
