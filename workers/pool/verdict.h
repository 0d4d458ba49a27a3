#pragma once
#include <optional>
#include <string>
#include <variant>

#include "shared/contract/outcome.h"
#include "shared/contract/verdict.h"
#include "shared/store.h"
#include "workers/llm/chat_model.h"

namespace millrace {

/// The last step ended well.
struct Answered {
  ChatEnd end;
  std::optional<std::string> text;  ///< the answer, where it is not what readers hold already
  std::optional<Step> step;         ///< to be journaled with the outcome; empty: it was already
};
/// The job had ended before this run, as this.
struct AlreadyEnded {
  Outcome outcome;
};
/// The run failed; whether another may help is in the failure.
struct RunFailed {
  ChatFailure failure;
};
/// Somebody wants no more of it.
struct CancelAsked {};
struct DeadlinePassed {};
/// This run says nothing about the job: it goes on in another, not before `until`.
struct GivenBack {
  Instant until;
};
/// It took two workers down: it goes on alone in a quiet process.
struct Suspect {};
/// Not due for long: it waits in the queue.
struct NotDue {
  Instant due;
};

/// How one run of a job ended.
using RunEnd = std::variant<Answered, AlreadyEnded, RunFailed, CancelAsked, DeadlinePassed,
                            GivenBack, Suspect, NotDue>;

/// What the decision rests on beside the end itself.
struct RunFacts {
  std::uint32_t attempt = 1;  ///< runs that ended in an error, this one counted
  std::uint32_t attempts_max = 5;
  Instant now{};
  Instant deadline{};  ///< the job's, on the monotonic clock
  double jitter = 0;   ///< in [0, 1)
};

/// What becomes of a job whose run ended so; nothing: the delivery goes back to its queue as it
/// was. The one place where a job's end is decided.
std::optional<Verdict> verdict_for(const RunEnd& ended, const RunFacts& facts);

/// The wait before the next attempt: exponential from `limits::retry_wait_first` to
/// `limits::retry_wait_max`, with full jitter (each client picks evenly in [0, wait), so that
/// many failures of one instant do not come back together).
Duration retry_wait(std::uint32_t attempt, double jitter);

/// How the job ends with a terminal verdict. `said`: what readers have been told so far.
Outcome outcome_for(const RunEnd& ended, const RunFacts& facts, std::string said);

/// The verdict for a delivery of a job that ended so.
Verdict verdict_of(const Outcome& outcome);

}  // namespace millrace
