#include "tests/seams/webhooks_suite.h"

#include "shared/sqlite/sqlite_store.h"
#include "tests/shared/sqlite/temporary_folder.h"

namespace millrace {
namespace {

class SqliteWorld final : public WebhooksWorld {
 public:
  std::unique_ptr<Store> store(Clock& clock) override { return store_.port(clock); }
  std::unique_ptr<Webhooks> webhooks(Clock& clock) override { return store_.webhooks(clock); }
  Task<> remove_old_jobs(Clock& clock, Duration kept) override {
    return store_.remove_old_jobs(clock, kept);
  }

 private:
  TemporaryFolder folder_;
  SystemRandom random_;
  SqliteStore store_{folder_.path("store.db"), random_};
};

std::unique_ptr<WebhooksWorld> make_sqlite_world() {
  return std::make_unique<SqliteWorld>();
}

INSTANTIATE_TEST_SUITE_P(Sqlite, WebhooksSuite, testing::Values(make_sqlite_world));

}  // namespace
}  // namespace millrace
