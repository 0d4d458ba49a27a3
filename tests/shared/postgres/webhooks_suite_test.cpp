#include "tests/seams/webhooks_suite.h"

#include "shared/postgres/postgres_store.h"
#include "tests/shared/postgres/test_database.h"

namespace millrace {
namespace {

class PostgresWorld final : public WebhooksWorld {
 public:
  std::unique_ptr<Store> store(Clock& clock) override { return store_.port(clock); }
  /// Every other one from another process.
  std::unique_ptr<Webhooks> webhooks(Clock& clock) override {
    return (++made_ % 2 == 0 ? other_ : store_).webhooks(clock);
  }
  Task<> remove_old_jobs(Clock& clock, Duration kept) override {
    return store_.remove_old_jobs(clock, kept);
  }

 private:
  TestDatabase database_;
  SystemRandom random_;
  PostgresStore store_{database_.url(), random_};
  PostgresStore other_{database_.url(), random_};
  std::atomic<int> made_ = 0;
};

std::unique_ptr<WebhooksWorld> make_postgres_world() {
  return std::make_unique<PostgresWorld>();
}

INSTANTIATE_TEST_SUITE_P(Postgres, WebhooksSuite, testing::Values(make_postgres_world));

}  // namespace
}  // namespace millrace
