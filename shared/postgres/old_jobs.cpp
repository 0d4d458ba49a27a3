#include "shared/postgres/old_jobs.h"

namespace millrace::postgres {
namespace {

constexpr Statement remove_sql{
    "WITH old AS (SELECT id FROM jobs WHERE ended_at IS NOT NULL AND ended_at < $1"
    " ORDER BY ended_at LIMIT $2 FOR UPDATE SKIP LOCKED),"
    " gone AS (DELETE FROM steps USING old WHERE steps.job_id = old.id),"
    " untried AS (DELETE FROM webhook_attempts USING old WHERE webhook_attempts.job_id = old.id),"
    " untold AS (DELETE FROM webhook_deliveries USING old"
    " WHERE webhook_deliveries.job_id = old.id)"
    " DELETE FROM jobs USING old WHERE jobs.id = old.id"};

}  // namespace

Task<Result<std::int64_t>> OldJobs::remove(WallTime ended_before) {
  const auto removed = co_await connection_.run(
      remove_sql, Params().add(ended_before.time_since_epoch().count()).add(batch_max));
  if (!removed) co_return Failure(removed.error());
  co_return removed->changes();
}

}  // namespace millrace::postgres
