#include "tests/seams/store_suite.h"

#include "shared/postgres/postgres_store.h"
#include "tests/shared/postgres/test_database.h"

namespace millrace {
namespace {

class PostgresWorld final : public StoreWorld {
 public:
  std::unique_ptr<Store> port(Clock& clock) override { return first_.port(clock); }
  std::unique_ptr<Store> other_process(Clock& clock) override { return second_.port(clock); }

 private:
  TestDatabase database_;
  SystemRandom random_;
  PostgresStore first_{database_.url(), random_};
  PostgresStore second_{database_.url(), random_};
};

std::unique_ptr<StoreWorld> make_postgres_world() {
  return std::make_unique<PostgresWorld>();
}

INSTANTIATE_TEST_SUITE_P(Postgres, StoreSuite, testing::Values(make_postgres_world));

}  // namespace
}  // namespace millrace
