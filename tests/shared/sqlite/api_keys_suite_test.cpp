#include "tests/seams/api_keys_suite.h"

#include "shared/sqlite/sqlite_store.h"
#include "tests/shared/sqlite/temporary_folder.h"

namespace millrace {
namespace {

class SqliteWorld final : public ApiKeysWorld {
 public:
  std::unique_ptr<ApiKeys> keys(Clock& clock) override { return store_.api_keys(clock); }

 private:
  TemporaryFolder folder_;
  SystemRandom random_;
  SqliteStore store_{folder_.path("store.db"), random_};
};

std::unique_ptr<ApiKeysWorld> make_sqlite_world() {
  return std::make_unique<SqliteWorld>();
}

INSTANTIATE_TEST_SUITE_P(Sqlite, ApiKeysSuite, testing::Values(make_sqlite_world));

}  // namespace
}  // namespace millrace
