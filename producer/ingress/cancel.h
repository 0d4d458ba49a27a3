#pragma once
#include <string>

#include "producer/ingress/job_ender.h"
#include "producer/ingress/job_lookup.h"

namespace millrace {

/// Cancels jobs (design §4): the wish goes to the Store, a wake-up to the holder; a job nobody
/// holds, or whose holder says nothing for `limits::cancel_holder_wait`, is ended here.
class Cancel {
 public:
  Cancel(EventLog& log, Store& store, Clock& clock, JobEnder& ender)
      : log_(log), store_(store), clock_(clock), ender_(ender) {}

  /// The job as it ended; a job that had ended before is left as it is. 404, or 503 while the
  /// Store or the log is away: then the wish may stand, and asking again is safe.
  Task<FoundJob> cancel(std::string tenant, JobId id);

 private:
  Task<FoundJob> ended_job(const std::string& tenant, const JobId& id);

  EventLog& log_;
  Store& store_;
  Clock& clock_;
  JobEnder& ender_;
};

}  // namespace millrace
