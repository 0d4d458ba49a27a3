#include "producer/ingress/cancel.h"

#include <span>

#include "producer/ingress/end_watch.h"
#include "producer/ingress/job_view.h"
#include "shared/runtime/limits.h"

namespace millrace {
namespace {

bool away(Errc error) {
  return error != Errc::not_found;
}

}  // namespace

Task<FoundJob> Cancel::cancel(std::string tenant, JobId id) {
  const Instant holder_has_until = clock_.now() + limits::cancel_holder_wait;
  auto row = co_await store_.want_cancel(tenant, id);
  if (!row && away(row.error())) co_return std::unexpected(store_away());
  if (row && terminal(row->state)) co_return std::move(*row);

  // Only the row or the record says whose it is, and another's is not even woken.
  if (!row) {
    const auto known = co_await log_.states(std::span(&id, 1));
    if (!known) co_return std::unexpected(log_away());
    const bool own = known->front() && known->front()->tenant == tenant;
    if (!own) co_return std::unexpected(no_such_job(id));
  }
  const auto stands = co_await log_.cancel(id);
  if (!stands && away(stands.error())) co_return std::unexpected(log_away());
  const bool logged = stands && stands->tenant == tenant;
  if (!row && !logged) co_return std::unexpected(no_such_job(id));
  if (!row) {
    // The row was on its way, or is made by the worker that has just begun: now it may be there.
    row = co_await store_.want_cancel(tenant, id);
    if (!row && away(row.error())) co_return std::unexpected(store_away());
    if (row && terminal(row->state)) co_return std::move(*row);
  }

  const JobState stood = logged ? stands->state : row->state;
  if (logged && stands->held) {
    EndWatch watch(clock_, log_, id);
    const bool answered = co_await watch.wait_until(holder_has_until);
    if (answered) co_return co_await ended_job(tenant, id);
  }
  if (!terminal(stood)) {
    const auto job = job_of(row ? *row : from_log(id, *stands));
    const auto ended = co_await ender_.end(job, stood, JobState::cancelled);
    if (!ended) co_return std::unexpected(store_.healthy() ? log_away() : store_away());
  }
  co_return co_await ended_job(tenant, id);
}

Task<FoundJob> Cancel::ended_job(const std::string& tenant, const JobId& id) {
  auto row = co_await store_.find(tenant, id);
  if (!row || !terminal(row->state)) co_return std::unexpected(store_away());
  co_return std::move(*row);
}

}  // namespace millrace
