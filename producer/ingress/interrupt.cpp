#include "producer/ingress/interrupt.h"

namespace millrace {
namespace {

bool takes_back(const Job& job) {
  return job.on_busy == "rollback";
}

}  // namespace

bool Interrupt::wanted(const Job& job) {
  return job.on_busy == "interrupt" || takes_back(job);
}

Task<std::optional<Refusal>> Interrupt::make_way(const Job& job) {
  const auto live = co_await log_.session_jobs(job.tenant, job.session);
  if (!live) co_return log_away();
  std::optional<Refusal> refusal;
  Nursery ending(clock_);
  for (const JobId& id : *live) {
    if (id == job.id) break;  // oldest first
    Job earlier;
    earlier.id = id;
    earlier.tenant = job.tenant;
    earlier.session = job.session;
    ending.start(end(std::move(earlier), takes_back(job), refusal));
  }
  co_await ending.join();
  co_return refusal;
}

Task<> Interrupt::end(Job earlier, bool take_back, std::optional<Refusal>& refusal) {
  const auto ended = co_await cancel_.cancel(earlier.tenant, earlier.id);
  // What nobody knows has nothing that could be in the way.
  if (!ended && ended.error().problem.status != 404) {
    refusal = ended.error();
    co_return;
  }
  if (!take_back) co_return;
  const auto taken = co_await sessions_.withdraw(earlier);
  if (!taken) refusal = taken.error() == Errc::full ? storage_full() : store_away();
}

}  // namespace millrace
