#include "tests/seams/sessions_suite.h"

#include <sstream>

#include "shared/postgres/postgres_store.h"
#include "tests/shared/postgres/test_database.h"

namespace millrace {
namespace {

class PostgresWorld final : public SessionsWorld {
 public:
  std::unique_ptr<Store> store(Clock& clock) override { return store_.port(clock); }
  /// Every other one from another process.
  std::unique_ptr<Sessions> sessions(Clock& clock, Duration timeout) override {
    return (++made_ % 2 == 0 ? other_ : store_).sessions(clock, timeout);
  }
  Task<> remove_old(Clock& clock, Duration timeout) override {
    return store_.remove_old_sessions(clock, timeout);
  }
  std::optional<std::vector<std::string>> history() override {
    std::istringstream text(database_.ask(
        "SELECT string_agg(concat_ws('|', session_id, user_message, coalesce(assistant_message,"
        " ''), tools_used, coalesce(model_used, ''), coalesce(tokens_used::text, ''),"
        " coalesce(cost::text, '')), E'\\n' ORDER BY id) FROM chat_history"));
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }

 private:
  TestDatabase database_;
  SystemRandom random_;
  PostgresStore store_{database_.url(), random_, suite_prices()};
  PostgresStore other_{database_.url(), random_, suite_prices()};
  std::atomic<int> made_ = 0;
};

std::unique_ptr<SessionsWorld> make_postgres_world() {
  return std::make_unique<PostgresWorld>();
}

INSTANTIATE_TEST_SUITE_P(Postgres, SessionsSuite, testing::Values(make_postgres_world));

}  // namespace
}  // namespace millrace
