#include "workers/pool/run_job.h"

#include <algorithm>

#include "shared/runtime/log.h"
#include "workers/pool/llm_turn.h"
#include "workers/pool/read_back.h"
#include "workers/pool/read_end.h"

namespace millrace {
namespace {

/// How long a delivery is put aside that could not even be begun.
constexpr Duration put_aside_for = 1s;

/// A holder may give its lease back long before it would end: a drained one does.
Duration look_again_after(Duration busy_for) {
  return std::clamp<Duration>(busy_for, 100ms, put_aside_for);
}

RunEnd put_aside(const JobRun& run) {
  return GivenBack{run.parts.clock.now() + put_aside_for};
}

/// A job that is not due yet waits without a lease: a short time in the queue's memory, a long
/// one as a retry. A stale wish counts as nothing.
std::optional<RunEnd> not_due(const JobRun& run) {
  if (!run.job().not_before) return std::nullopt;
  const auto wait = *run.job().not_before - run.parts.clock.wall();
  if (wait <= Duration::zero()) return std::nullopt;
  const Instant due = run.parts.clock.now() + wait;
  if (wait > limits::retry_in_memory_max) return NotDue{due};
  return GivenBack{due};
}

RunEnd poison(const JobRun& run) {
  return RunFailed{{.code = "poison",
                    .message = "the worker died each time it ran this job, " +
                               std::to_string(run.lost_runs) + " times; the last time alone",
                    .retryable = false,
                    .retry_after = {}}};
}

/// What can be said once the lease is held, before any step.
std::optional<RunEnd> ends_before_it_starts(const JobRun& run, bool cancel_wanted) {
  if (cancel_wanted || run.stop_wanted() == Stop::cancel) return CancelAsked{};
  if (run.deadline_passed()) return DeadlinePassed{};
  if (run.lost_runs > limits::lost_runs_before_quiet) return poison(run);
  if (run.lost_runs == limits::lost_runs_before_quiet && !run.alone) return Suspect{};
  return std::nullopt;
}

EventPen::Before before(const JobRun& run, const StoredJob& known) {
  // Never more than perhaps: an attempt may have been a wait, and what was begun in the Store may
  // have found no log.
  const bool perhaps = run.delivery.redelivered || run.delivery.attempt > 1 || run.begun_before ||
                       known.attempts > 1;
  return perhaps ? EventPen::Before::perhaps : EventPen::Before::nothing;
}

Task<RunEnd> run_steps(JobRun& run, std::vector<Step> finished) {
  if (run.job().kind != "chat")
    co_return RunFailed{{.code = "unknown_kind",
                         .message = "this worker cannot run jobs of the kind " + run.job().kind,
                         .retryable = false,
                         .retry_after = {}}};
  co_return co_await llm_turn(run, finished);
}

/// Ended between the two questions, and the Store says how; or the Store has lost the end (its disk
/// was torn, or it is an older copy), and what readers were told stands.
Task<RunEnd> ended_in_log(JobRun& run) {
  const auto told = co_await read_end(run.parts.log, run.job().id);
  if (!told) co_return put_aside(run);
  auto finished = co_await run.parts.store.finish(run.job(), *told, nullptr);
  if (!finished) co_return put_aside(run);
  if (finished->first) log::warn("end_taken_from_the_log", {{"job", run.job().id.str()}});
  co_return AlreadyEnded{std::move(finished->outcome)};
}

}  // namespace

Task<RunEnd> run_job(JobRun& run) {
  if (auto wait = not_due(run)) co_return std::move(*wait);

  // Not begun in the Store what cannot be begun in the log: it would look like a lost run.
  if (!run.parts.log.reachable()) co_return put_aside(run);
  // The Store first: what has ended there has ended, whatever the log has lost or kept.
  auto known = co_await run.parts.store.begin(run.job(), run.delivery.attempt);
  if (!known) co_return put_aside(run);
  run.begun_before = known->begun_before;
  if (known->job.outcome) co_return AlreadyEnded{std::move(*known->job.outcome)};

  const auto begun = co_await run.pen.begin(before(run, known->job));
  if (!begun) co_return put_aside(run);
  if (begun->outcome == Begun::Outcome::busy)
    co_return GivenBack{run.parts.clock.now() + look_again_after(begun->busy_for)};
  if (begun->outcome == Begun::Outcome::terminal) co_return co_await ended_in_log(run);
  run.leased = true;
  run.errors = begun->errors;
  run.lost_runs = begun->lost_runs;
  // The row is to show the runs that only the log could count: those that were lost.
  if (run.number() > run.delivery.attempt) {
    const auto noted = co_await run.parts.store.begin(run.job(), run.number());
    if (!noted) co_return put_aside(run);
  }

  const bool cancel_wanted = begun->cancel_wanted || known->job.cancel_wanted;
  // What is in the log beyond `queued` is what earlier runs said. A gap is told before all else,
  // whatever number a broken log gives.
  if (begun->last > 1 || begun->gap_from) {
    auto said = co_await read_back(run.parts.log, run.job().id);
    if (!said) co_return put_aside(run);
    run.pen.resume_after(std::move(said->text), said->aside);
    run.text_begins_after = begun->gap_from ? 0 : said->begins_after;
    run.pieces_said = said->pieces;
  }
  if (auto end = ends_before_it_starts(run, cancel_wanted)) co_return std::move(*end);
  co_return co_await run_steps(run, std::move(known->steps));
}

}  // namespace millrace
