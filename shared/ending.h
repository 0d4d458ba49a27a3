#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "shared/contract/job.h"
#include "shared/contract/outcome.h"
#include "shared/event_log.h"
#include "shared/runtime/clock.h"
#include "shared/runtime/error.h"
#include "shared/runtime/task.h"

namespace millrace {

/// The last words of a job's log: what the Store says the job ended as, told to its readers.
/// Everything named here is the caller's and must outlive the call.
struct Ending {
  const Job& job;
  Token token;                  ///< holds the lease
  Seq last = 0;                 ///< of the log, as `begin` or the last append left it
  std::optional<Seq> gap_from;  ///< of `begin`, unless the caller has written its `gap` already
  const Outcome& standing;      ///< as `Store::finish` or `Store::find` gave it
  /// What readers hold at `last` (deltas joined, rewinds done), where the caller knows it.
  /// Nothing: the log is read to find out.
  std::optional<std::string_view> held;
};

/// Appends the terminal event of the outcome that stands, whoever set it. Where readers hold
/// another text than the stored one (or lost events), `rewind{to:0}` and the stored text go
/// first, so that what readers hold is what the Store says. All of it is one append: `fenced`
/// (somebody else ends the job), `lost` (begin again, then this again), or why it failed.
/// Not before `Store::finish` has answered.
Task<Result<>> append_ending(EventLog& log, Clock& clock, Ending ending);

/// What a reader of the whole log holds; empty where there is no log.
Task<Result<std::string>> readers_text(EventLog& log, JobId id);

}  // namespace millrace
