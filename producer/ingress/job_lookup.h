#pragma once
#include <expected>
#include <string>

#include "producer/ingress/end_watch.h"
#include "producer/ingress/job_ender.h"
#include "producer/ingress/refusal.h"
#include "shared/event_log.h"
#include "shared/store.h"

namespace millrace {

using FoundJob = std::expected<StoredJob, Refusal>;

/// Where jobs stand now, from the Store and the log together. One a loop.
class JobLookup {
 public:
  JobLookup(EventLog& log, Store& store, Clock& clock, JobEnder& ender)
      : log_(log), store_(store), clock_(clock), ender_(ender) {}

  /// The Store wins about a job that has ended; about a live one the log knows more. A queued job
  /// past its deadline is ended as expired on the way. `job_not_found` only where both say so; 503
  /// where the one that is away might know the job.
  Task<FoundJob> find(std::string tenant, JobId id);

  /// The same once the job has ended, or as it stands at `deadline` or when the asker goes;
  /// no asker: nobody can go.
  Task<FoundJob> find_ended(std::string tenant, JobId id, Instant deadline, const Asker* asker);

 private:
  Task<FoundJob> look(const std::string& tenant, const JobId& id);
  Task<FoundJob> look_at_log(const std::string& tenant, const JobId& id, Result<StoredJob> row);

  EventLog& log_;
  Store& store_;
  Clock& clock_;
  JobEnder& ender_;
};

}  // namespace millrace
