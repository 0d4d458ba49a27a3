#include "tests/seams/store_suite.h"

#include "shared/sqlite/sqlite_store.h"
#include "tests/shared/sqlite/temporary_folder.h"

namespace millrace {
namespace {

class SqliteWorld final : public StoreWorld {
 public:
  std::unique_ptr<Store> port(Clock& clock) override { return first_.port(clock); }
  std::unique_ptr<Store> other_process(Clock& clock) override { return second_.port(clock); }

 private:
  TemporaryFolder folder_;
  SystemRandom random_;
  SqliteStore first_{folder_.path("store.db"), random_};
  SqliteStore second_{folder_.path("store.db"), random_};
};

std::unique_ptr<StoreWorld> make_sqlite_world() {
  return std::make_unique<SqliteWorld>();
}

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreSuite, testing::Values(make_sqlite_world));

}  // namespace
}  // namespace millrace
