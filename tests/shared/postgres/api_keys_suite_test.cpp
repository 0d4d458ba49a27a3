#include "tests/seams/api_keys_suite.h"

#include "shared/postgres/postgres_store.h"
#include "tests/shared/postgres/test_database.h"

namespace millrace {
namespace {

class PostgresWorld final : public ApiKeysWorld {
 public:
  /// Every other one from another process.
  std::unique_ptr<ApiKeys> keys(Clock& clock) override {
    return (++made_ % 2 == 0 ? other_ : store_).api_keys(clock);
  }

 private:
  TestDatabase database_;
  SystemRandom random_;
  PostgresStore store_{database_.url(), random_};
  PostgresStore other_{database_.url(), random_};
  int made_ = 0;
};

std::unique_ptr<ApiKeysWorld> make_postgres_world() {
  return std::make_unique<PostgresWorld>();
}

INSTANTIATE_TEST_SUITE_P(Postgres, ApiKeysSuite, testing::Values(make_postgres_world));

}  // namespace
}  // namespace millrace
