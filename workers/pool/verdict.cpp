#include "workers/pool/verdict.h"

#include <fmt/format.h>

#include <algorithm>

#include "shared/runtime/limits.h"

namespace millrace {
namespace {

Verdict after_failure(const ChatFailure& failure, const RunFacts& facts) {
  const std::string reason = failure.code + ": " + failure.message;
  if (!failure.retryable || facts.attempt >= facts.attempts_max) return Dead{reason};
  Duration wait = retry_wait(facts.attempt, facts.jitter);
  if (failure.retry_after) wait = std::max(wait, *failure.retry_after);
  const Instant at = facts.now + wait;
  if (at >= facts.deadline) return Dead{reason};  // says more than a later `expired` would
  return Retry{at};
}

struct Decide {
  const RunFacts& facts;
  std::optional<Verdict> operator()(const Answered&) const { return Done{}; }
  std::optional<Verdict> operator()(const AlreadyEnded& ended) const {
    return verdict_of(ended.outcome);
  }
  std::optional<Verdict> operator()(const RunFailed& failed) const {
    return after_failure(failed.failure, facts);
  }
  std::optional<Verdict> operator()(const CancelAsked&) const { return Cancelled{}; }
  std::optional<Verdict> operator()(const DeadlinePassed&) const { return Expired{}; }
  std::optional<Verdict> operator()(const GivenBack&) const { return std::nullopt; }
  std::optional<Verdict> operator()(const Suspect&) const { return std::nullopt; }
  std::optional<Verdict> operator()(const NotDue& wait) const { return Retry{wait.due}; }
};

std::string message_for(const ChatFailure& failure, const RunFacts& facts) {
  if (!failure.retryable) return failure.message;
  if (facts.attempt >= facts.attempts_max)
    return fmt::format("{} (attempt {} of {})", failure.message, facts.attempt, facts.attempts_max);
  return failure.message + " (no time for another attempt before the deadline)";
}

}  // namespace

std::optional<Verdict> verdict_for(const RunEnd& ended, const RunFacts& facts) {
  return std::visit(Decide{facts}, ended);
}

Duration retry_wait(std::uint32_t attempt, double jitter) {
  const std::uint32_t doublings = std::min(attempt > 0 ? attempt - 1 : 0, 16u);
  const Duration full =
      std::min<Duration>(limits::retry_wait_first * (1u << doublings), limits::retry_wait_max);
  return std::chrono::duration_cast<Duration>(full * jitter);
}

Outcome outcome_for(const RunEnd& ended, const RunFacts& facts, std::string said) {
  Outcome outcome;
  outcome.text = std::move(said);
  if (const auto* answered = std::get_if<Answered>(&ended)) {
    outcome.state = JobState::succeeded;
    if (answered->text) outcome.text = *answered->text;
    outcome.finish_reason = answered->end.finish_reason;
    outcome.model = answered->end.model;
    outcome.usage = answered->end.usage;
    outcome.tool_calls = answered->end.tool_calls;
    outcome.asides = answered->end.asides;
  } else if (const auto* failed = std::get_if<RunFailed>(&ended)) {
    outcome.state = JobState::failed;
    outcome.error_code = failed->failure.code;
    outcome.error_message = message_for(failed->failure, facts);
    outcome.retryable = failed->failure.retryable;
  } else if (const auto* already = std::get_if<AlreadyEnded>(&ended)) {
    return already->outcome;
  } else if (std::holds_alternative<CancelAsked>(ended)) {
    outcome.state = JobState::cancelled;
  } else {
    outcome.state = JobState::expired;
  }
  return outcome;
}

Verdict verdict_of(const Outcome& outcome) {
  switch (outcome.state) {
    case JobState::failed:
      return Dead{outcome.error_code + ": " + outcome.error_message};
    case JobState::cancelled:
      return Cancelled{};
    case JobState::expired:
      return Expired{};
    default:
      return Done{};
  }
}

}  // namespace millrace
