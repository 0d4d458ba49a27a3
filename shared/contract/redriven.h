#pragma once
#include "shared/contract/job.h"

namespace millrace {

/// The work of a job that has ended, as a new job: the same members, those this build does not
/// know too, but for the id and the times. It is accepted `now`, due at once, and may live as long
/// as the old one might, 7 days at most; `metadata.redriven_from` names the old one. `old.envelope`
/// is a readable envelope.
Job redriven(const Job& old, const JobId& id, WallTime now);

/// The id under which everything that is sent again at once goes: the same for the same job, so
/// that a second copy of a dead letter, or a run that was interrupted, makes no second job.
JobId redriven_id(const Job& old);

}  // namespace millrace
