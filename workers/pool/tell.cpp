#include "workers/pool/tell.h"

#include <fmt/format.h>

#include "shared/ending.h"
#include "shared/runtime/log.h"

namespace millrace {
namespace {

/// Between two questions to a Store that is away.
constexpr Duration store_wait = 500ms;
/// How long a delivery is put aside whose end could not be told.
constexpr Duration untold_wait = 1s;

RunFacts facts_of(const JobRun& run) {
  return {.attempt = run.attempt(),
          .attempts_max = run.parts.settings.job_attempts,
          .now = run.parts.clock.now(),
          .deadline = run.deadline(),
          .jitter = run.parts.random.unit()};
}

void release(JobRun& run, Instant until) {
  WorkerCounts::add(run.parts.counts.given_back);
  Delivery back = run.delivery;
  back.redelivered = back.redelivered || run.leased;
  run.parts.queue.release(back, until);
}

Task<> settle(JobRun& run, Verdict verdict, std::string result = {}) {
  const auto settled =
      co_await run.parts.queue.settle(run.delivery, std::move(verdict), std::move(result));
  if (!settled) release(run, run.parts.clock.now() + untold_wait);
}

/// The run ends without a word about the job.
Task<> hand_back(JobRun& run, Instant until) {
  co_await give_lease_back(run, "handed over to another worker");
  release(run, until);
}

std::string retry_message(const RunEnd& ended, Duration wait) {
  const auto* failed = std::get_if<RunFailed>(&ended);
  const double seconds = std::chrono::duration<double>(wait).count();
  return fmt::format("retrying in {:.1f} s: {}", seconds,
                     failed ? std::string_view(failed->failure.message) : "not due yet");
}

Task<> try_later(JobRun& run, const RunEnd& ended, Retry retry) {
  if (run.leased) {
    run.pen.give_back(JobState::retrying, retry_message(ended, retry.at - run.parts.clock.now()));
    const auto told = co_await run.pen.written();
    if (!told && run.pen.fenced()) {
      release(run, run.parts.clock.now() + untold_wait);
      co_return;
    }
  }
  WorkerCounts::add(run.parts.counts.retried);
  co_await settle(run, retry);
}

/// Ends the job in the Store, however long the Store is away. Nothing: this run must not end it.
Task<std::optional<Finished>> finish(JobRun& run, const Outcome& outcome, const Step* step) {
  for (;;) {
    const bool may_act = co_await run.pen.may_act();
    if (!may_act) co_return std::nullopt;
    auto finished = co_await run.parts.store.finish(run.job(), outcome, step);
    if (finished) co_return std::move(*finished);
    if (!retryable(finished.error())) {
      log::error("outcome_refused",
                 {{"job", run.job().id.str()}, {"error", to_string(finished.error())}});
      co_return std::nullopt;
    }
    if (run.stop_wanted() == Stop::hand_over) co_return std::nullopt;
    co_await run.parts.clock.sleep_for(store_wait);
  }
}

bool same_words(const Outcome& a, const Outcome& b) {
  return a.state == b.state && a.text == b.text;
}

void count_end(WorkerCounts& counts, JobState state) {
  switch (state) {
    case JobState::succeeded:
      return WorkerCounts::add(counts.succeeded);
    case JobState::cancelled:
      return WorkerCounts::add(counts.cancelled);
    case JobState::expired:
      return WorkerCounts::add(counts.expired);
    default:
      return WorkerCounts::add(counts.failed);
  }
}

std::string result_of(const JobRun& run, const Outcome& outcome) {
  return encode_result(run.job(), outcome, run.parts.clock.wall());
}

/// To look closer would read a large envelope once more, and a word too many does no harm.
bool may_name_webhook(const Job& job) {
  return job.envelope.contains(R"("webhook")");
}

/// Ends a job whose lease this run holds.
Task<> end_job(JobRun& run, const RunEnd& ended, const RunFacts& facts) {
  const Outcome wanted = outcome_for(ended, facts, run.pen.text());
  const auto* answered = std::get_if<Answered>(&ended);
  const Step* step = answered && answered->step ? &*answered->step : nullptr;
  auto finished = co_await finish(run, wanted, step);
  if (!finished) {
    co_await hand_back(run, run.parts.clock.now());
    co_return;
  }
  if (finished->first && run.parts.webhook_due && may_name_webhook(run.job()))
    run.parts.webhook_due();
  const bool as_wanted = finished->first || same_words(finished->outcome, wanted);
  if (finished->first)
    run.outcome = wanted;
  else
    run.outcome = std::move(finished->outcome);
  run.pen.end(*run.outcome, !as_wanted || run.pen.text() != run.outcome->text);

  const auto told = co_await run.pen.written();
  if (!told) {
    release(run, run.parts.clock.now() + untold_wait);
    co_return;
  }
  count_end(run.parts.counts, run.outcome->state);
  log::info("job_ended", {{"job", run.job().id.str()},
                          {"state", to_string(run.outcome->state)},
                          {"code", run.outcome->error_code},
                          {"attempt", run.attempt()},
                          {"tenant", run.job().tenant}});
  co_await settle(run, verdict_of(*run.outcome), result_of(run, *run.outcome));
}

/// A terminal event that whoever ended the job may not have lived to write. False: not now.
Task<bool> repeat_ending(JobRun& run, const Outcome& standing) {
  const auto begun = co_await run.pen.take_lease(run.begun_before ? EventPen::Before::run
                                                                  : EventPen::Before::perhaps);
  if (!begun || begun->outcome == Begun::Outcome::busy) co_return false;
  if (begun->outcome == Begun::Outcome::terminal) co_return true;
  const Ending ending{.job = run.job(),
                      .token = run.pen.lease().token(),
                      .last = begun->last,
                      .gap_from = begun->gap_from,
                      .standing = standing,
                      .held = std::nullopt};
  const auto told = co_await append_ending(run.parts.log, run.parts.clock, ending);
  co_return told.has_value();
}

Task<> confirm_end(JobRun& run, const Outcome& standing) {
  const bool told = co_await repeat_ending(run, standing);
  if (!told) {
    release(run, run.parts.clock.now() + untold_wait);
    co_return;
  }
  co_await settle(run, verdict_of(standing), result_of(run, standing));
}

}  // namespace

Task<> give_lease_back(JobRun& run, std::string_view why) {
  if (!run.leased || run.pen.fenced()) co_return;
  if (run.pen.stopped()) {
    co_await run.pen.leave_when_back(why);
    co_return;
  }
  run.pen.give_back(JobState::queued, why);
  (void)co_await run.pen.written();  // unwritten, the lease runs out by itself
}

Task<> tell_then_settle(JobRun& run, RunEnd ended) {
  const RunFacts facts = facts_of(run);
  const auto verdict = verdict_for(ended, facts);
  if (const auto* already = std::get_if<AlreadyEnded>(&ended)) {
    co_await confirm_end(run, already->outcome);
  } else if (!verdict) {
    const auto* given_back = std::get_if<GivenBack>(&ended);
    co_await hand_back(run, given_back ? given_back->until : facts.now);
  } else if (const auto* retry = std::get_if<Retry>(&*verdict)) {
    co_await try_later(run, ended, *retry);
  } else {
    co_await end_job(run, ended, facts);
  }
}

}  // namespace millrace
