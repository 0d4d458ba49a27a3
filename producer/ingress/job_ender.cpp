#include "producer/ingress/job_ender.h"

#include "shared/runtime/log.h"

namespace millrace {
namespace {

// No control channel goes with this name: an edge holds a lease for a moment only.
constexpr std::string_view holder_name = "edge";

Outcome outcome(JobState as, std::string text, const Job& job) {
  Outcome ended;
  ended.state = as;
  ended.text = std::move(text);
  ended.model = job.model;
  return ended;
}

}  // namespace

Task<Result<>> JobEnder::end(Job job, JobState stood, JobState as) {
  if (stood == JobState::queued) co_return co_await end_queued(job, as);
  co_return co_await end_running(job, as);
}

Task<Result<>> JobEnder::end_queued(const Job& job, JobState as) {
  // Nothing has been said yet, so the Store can decide without a lease: a worker that begins
  // meanwhile hears from the Store that the job has ended.
  const auto ended = outcome(as, "", job);
  const auto finished = co_await store_.finish(job, ended, nullptr);
  if (!finished) co_return Failure(finished.error());
  const auto lease = co_await take_lease(job, false);
  if (lease) co_await tell(job, *lease, finished->outcome, std::nullopt);
  co_return Result<>();
}

Task<Result<>> JobEnder::end_running(const Job& job, JobState as) {
  const auto lease = co_await take_lease(job, true);
  if (!lease && lease.error() == Errc::closed) co_return Result<>();
  if (!lease) co_return Failure(lease.error());
  // From here on nobody else writes. After a loss nobody knows the text that was.
  Result<std::string> said = std::string();
  if (!lease->begun.gap_from) said = co_await readers_text(log_, job.id);
  Result<Finished> finished = Failure(Errc::unavailable);
  if (said) {
    const auto ended = outcome(as, *said, job);
    finished = co_await store_.finish(job, ended, nullptr);
  }
  if (!finished) {
    co_await give_back(job, *lease);
    co_return Failure(finished.error());
  }
  co_await tell(job, *lease, finished->outcome, *said);
  co_return Result<>();
}

/// `closed`: the log has its terminal event already.
Task<Result<JobEnder::Lease>> JobEnder::take_lease(const Job& job, bool begun_before) {
  const Token token = new_token(random_);
  const BeginRequest request{.job = job,
                             .token = token,
                             .worker = holder_name,
                             .known = 0,
                             .begun_before = begun_before,
                             .force = true};
  const auto begun = co_await log_.begin(request);
  if (!begun) co_return Failure(begun.error());
  if (begun->outcome == Begun::Outcome::terminal) co_return Failure(Errc::closed);
  if (begun->outcome == Begun::Outcome::busy) co_return Failure(Errc::unavailable);
  co_return Lease{token, *begun};
}

/// The Store could not decide: a worker goes on with the job.
Task<> JobEnder::give_back(const Job& job, const Lease& lease) {
  AppendRequest request;
  request.id = job.id;
  request.token = lease.token;
  request.expected = lease.begun.last;
  request.state = JobState::queued;
  const auto given = co_await log_.append(request);
  if (!given) log::warn("lease_not_given_back", {{"job", job.id.str()}});
}

Task<> JobEnder::tell(const Job& job, const Lease& lease, const Outcome& standing,
                      std::optional<std::string_view> held) {
  const Ending ending{.job = job,
                      .token = lease.token,
                      .last = lease.begun.last,
                      .gap_from = lease.begun.gap_from,
                      .standing = standing,
                      .held = held};
  const auto told = co_await append_ending(log_, clock_, ending);
  // Fenced: another edge ends the job at the same time, and says the same.
  if (!told && told.error() != Errc::fenced)
    log::warn("ending_not_told", {{"job", job.id.str()}, {"why", to_string(told.error())}});
}

}  // namespace millrace
