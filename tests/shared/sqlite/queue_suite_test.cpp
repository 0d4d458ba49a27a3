#include "tests/seams/job_queue_suite.h"
#include "tests/shared/sqlite/queue_world.h"

namespace millrace {
namespace {

std::unique_ptr<QueueWorld> make_sqlite_world() {
  return std::make_unique<SqliteQueueWorld>();
}

INSTANTIATE_TEST_SUITE_P(Sqlite, JobQueueSuite, testing::Values(make_sqlite_world));

}  // namespace
}  // namespace millrace
