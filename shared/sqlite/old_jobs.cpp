#include "shared/sqlite/old_jobs.h"

#include <algorithm>

#include "shared/runtime/ids.h"
#include "shared/runtime/log.h"
#include "shared/sqlite/call_queue.h"
#include "shared/sqlite/caller.h"

namespace millrace::sqlite {
namespace {

constexpr Duration look_every = 1h;
constexpr int shares_of_others = 4;
constexpr std::size_t jobs_a_batch_max = 32;
/// A long answer lies on pages of its own, each of which has to be visited: 2 MiB of them.
constexpr std::int64_t pages_a_batch_max = 256;

constexpr const char* oldest_sql =
    "SELECT id FROM jobs WHERE ended_at IS NOT NULL AND ended_at < ? ORDER BY ended_at LIMIT 1";
constexpr const char* steps_sql = "DELETE FROM steps WHERE job_id = ?";
constexpr const char* attempts_sql = "DELETE FROM webhook_attempts WHERE job_id = ?";
constexpr const char* delivery_sql = "DELETE FROM webhook_deliveries WHERE job_id = ?";
constexpr const char* job_sql = "DELETE FROM jobs WHERE id = ?";

}  // namespace

OldJobs::OldJobs(Database& database)
    : database_(database),
      oldest_(oldest_sql),
      steps_(steps_sql),
      attempts_(attempts_sql),
      delivery_(delivery_sql),
      job_(job_sql),
      free_pages_("PRAGMA freelist_count") {}

Result<OldJobs::Removed> OldJobs::remove(WallTime ended_before) {
  const auto before = free_pages();
  if (!before) return Failure(before.error());
  Removed removed;
  while (removed.jobs < jobs_a_batch_max) {
    const auto one = remove_oldest(ended_before);
    if (!one) return Failure(one.error());
    if (!*one) return removed;
    ++removed.jobs;
    const auto now = free_pages();
    if (!now) return Failure(now.error());
    if (*now - *before >= pages_a_batch_max) break;
  }
  removed.more = true;
  return removed;
}

Result<bool> OldJobs::remove_oldest(WallTime ended_before) {
  std::optional<JobId> id;
  {
    auto query = oldest_.on(database_);
    const auto row = query.bind(ended_before).step();
    if (!row || !*row) return row;
    id = query.id(0);
  }
  if (!id) return Failure(Errc::corrupt);
  for (auto* part : {&steps_, &attempts_, &delivery_, &job_})
    if (const auto done = part->on(database_).bind(id->bytes).finish(); !done)
      return Failure(done.error());
  return true;
}

Result<std::int64_t> OldJobs::free_pages() {
  auto query = free_pages_.on(database_);
  const auto row = query.step();
  if (!row) return Failure(row.error());
  return query.number(0);
}

Task<> remove_old_jobs(Clock& clock, ReplyRouter& replies, CallQueue& writes, Duration kept) {
  Caller caller(clock, replies);
  for (;;) {
    std::size_t jobs = 0;
    for (bool more = true; more;) {
      const Instant began = clock.now();
      const WallTime before = clock.wall() - std::chrono::ceil<std::chrono::milliseconds>(kept);
      const auto removed = co_await caller.ask<OldJobs::Removed>(
          writes, 0, [before](Tables& tables) { return tables.old_jobs.remove(before); });
      if (!removed) log::warn("old_jobs_not_removed", {{"error", to_string(removed.error())}});
      more = removed && removed->more;
      jobs += removed ? removed->jobs : 0;
      if (more) co_await clock.sleep_for(shares_of_others * (clock.now() - began));
    }
    if (jobs > 0) log::info("jobs_removed", {{"jobs", jobs}});
    co_await clock.sleep_for(look_every);
  }
}

}  // namespace millrace::sqlite
