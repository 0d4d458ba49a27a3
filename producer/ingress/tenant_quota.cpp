#include "producer/ingress/tenant_quota.h"

#include "producer/ingress/limits.h"

namespace millrace {
namespace {

constexpr Duration good_for = 1s;
/// Where there is no room, an end that made some is noticed within this.
constexpr Duration full_good_for = 20ms;
constexpr std::size_t tenants_remembered_max = 10'000;

Refusal too_many(const std::string& tenant, std::uint32_t jobs_max) {
  return refuse_for_now("quota_exceeded", "",
                        "The tenant " + quoted(tenant) + " has " + std::to_string(jobs_max) +
                            " jobs that have not ended, which is the most allowed "
                            "(TENANT_JOBS_MAX). Wait for some to end, or cancel some: GET "
                            "/v1/jobs?status=queued lists them.",
                        ingress_limits::retry_after_full_session);
}

}  // namespace

Task<std::expected<TenantQuota::Place, Refusal>> TenantQuota::enter(std::string tenant) {
  if (jobs_max_ == 0) co_return Place();
  const auto count = count_of(tenant);
  if (outdated(*count)) co_await read(tenant, count);
  if (count->all() >= jobs_max_) co_return std::unexpected(too_many(tenant, jobs_max_));
  co_return Place(count);
}

std::shared_ptr<TenantQuota::Count> TenantQuota::count_of(const std::string& tenant) {
  if (const auto* found = counts_.find(tenant)) return *found;
  auto made = counts_.add(tenant, std::make_shared<Count>());
  while (counts_.size() > tenants_remembered_max) {
    const std::string oldest = counts_.oldest().name;
    counts_.erase(oldest);
  }
  return made;
}

bool TenantQuota::outdated(const Count& count) const {
  if (!count.read_at) return true;
  const bool full = count.all() >= jobs_max_;
  // What was noted since may have ended: nobody is refused before that was looked at.
  if (full && count.since > 0) return true;
  return clock_.now() - *count.read_at >= (full ? full_good_for : good_for);
}

/// The Store counts behind all that this process noted before, so what was noted until now is in
/// its answer; what is noted meanwhile may be in it too, and is counted twice until the next.
Task<> TenantQuota::read(std::string tenant, std::shared_ptr<Count> count) {
  if (const auto reading = count->reading) {
    if (count->read_at) co_return;  // the last count serves until the next is there
    (void)co_await reading->wait_until(clock_.now() + limits::store_timeout);
    co_return;
  }
  struct Reading {
    Count& count;
    ~Reading() { std::exchange(count.reading, nullptr)->notify(); }
  };
  count->reading = std::make_shared<Signal>(clock_);
  const Reading ended{*count};
  const std::uint64_t before = std::exchange(count->since, 0);
  const auto stored = co_await store_.live_jobs(tenant, jobs_max_);
  count->read_at = clock_.now();
  if (stored)
    count->stored = *stored;
  else
    count->since += before;
}

}  // namespace millrace
