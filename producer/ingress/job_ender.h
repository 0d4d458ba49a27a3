#pragma once
#include <string>

#include "shared/contract/job.h"
#include "shared/contract/outcome.h"
#include "shared/ending.h"
#include "shared/event_log.h"
#include "shared/runtime/clock.h"
#include "shared/runtime/random.h"
#include "shared/store.h"

namespace millrace {

/// Ends jobs from the edge: those nobody runs, and those whose holder does not answer.
class JobEnder {
 public:
  JobEnder(EventLog& log, Store& store, Clock& clock, Random& random)
      : log_(log), store_(store), clock_(clock), random_(random) {}

  /// Ends a job that was last seen as `stood` (live) as `as` (`cancelled` or `expired`), unless
  /// it has ended otherwise; the Store decides. Returns once the Store has: what stands is then
  /// to be found there. The terminal event follows as far as the log can be reached; a worker
  /// that gets the delivery writes a missing one.
  ///
  /// A job that may be running loses its holder first, so that no word can follow the stored
  /// text. `unavailable`, `timed_out`: it has not been ended here.
  Task<Result<>> end(Job job, JobState stood, JobState as);

 private:
  struct Lease {
    Token token;
    Begun begun;
  };
  Task<Result<>> end_queued(const Job& job, JobState as);
  Task<Result<>> end_running(const Job& job, JobState as);
  Task<Result<Lease>> take_lease(const Job& job, bool begun_before);
  Task<> give_back(const Job& job, const Lease& lease);
  Task<> tell(const Job& job, const Lease& lease, const Outcome& standing,
              std::optional<std::string_view> held);

  EventLog& log_;
  Store& store_;
  Clock& clock_;
  Random& random_;
};

}  // namespace millrace
