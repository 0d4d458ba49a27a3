#include "producer/ingress/job_lookup.h"

#include <span>

#include "producer/ingress/end_watch.h"
#include "producer/ingress/job_view.h"
#include "producer/ingress/limits.h"

namespace millrace {

Task<FoundJob> JobLookup::find(std::string tenant, JobId id) {
  auto found = co_await look(tenant, id);
  if (!found || found->state != JobState::queued || clock_.wall() < found->deadline)
    co_return found;
  const auto ended = co_await ender_.end(job_of(*found), JobState::queued, JobState::expired);
  if (!ended) co_return found;
  const auto row = co_await store_.find(tenant, id);
  if (row) co_return *row;
  co_return found;
}

Task<FoundJob> JobLookup::find_ended(std::string tenant, JobId id, Instant deadline,
                                     const Asker* asker) {
  auto found = co_await find(tenant, id);
  if (!found || terminal(found->state)) co_return found;
  EndWatch watch(clock_, log_, id, asker);
  while (clock_.now() < deadline) {
    const auto until = std::min(deadline, clock_.now() + ingress_limits::end_check_every);
    const bool ended = co_await watch.wait_until(until);
    if (ended) co_return co_await find(tenant, id);
    if (asker && asker->gone()) co_return found;
    if (log_.reachable()) continue;
    found = co_await find(tenant, id);
    if (!found || terminal(found->state)) co_return found;
  }
  co_return co_await find(tenant, id);
}

Task<FoundJob> JobLookup::look(const std::string& tenant, const JobId& id) {
  auto row = co_await store_.find(tenant, id);
  if (row && terminal(row->state)) co_return std::move(*row);
  co_return co_await look_at_log(tenant, id, std::move(row));
}

Task<FoundJob> JobLookup::look_at_log(const std::string& tenant, const JobId& id,
                                      Result<StoredJob> row) {
  const bool store_failed = !row && row.error() != Errc::not_found;
  const auto states = co_await log_.states(std::span(&id, 1));
  const bool logged = states && states->front() && states->front()->tenant == tenant;
  if (!logged) {
    if (row) co_return std::move(*row);
    if (store_failed) co_return std::unexpected(store_away());
    if (!states) co_return std::unexpected(log_away());
    // Accepted a moment ago, and its record lost since: the row is on its way.
    auto noted = co_await store_.find_noted(id);
    if (noted && noted->tenant == tenant) co_return std::move(*noted);
    const bool unknown = noted || noted.error() == Errc::not_found;
    co_return std::unexpected(unknown ? no_such_job(id) : store_away());
  }
  const LogState& log = *states->front();
  if (terminal(log.state)) {
    // The Store had decided before the log could say so: it knows by now.
    auto ended = co_await store_.find(tenant, id);
    if (ended && terminal(ended->state)) co_return std::move(*ended);
    if (!ended && ended.error() != Errc::not_found) co_return std::unexpected(store_away());
  }
  if (row) co_return merged(std::move(*row), log);
  co_return from_log(id, log);
}

}  // namespace millrace
