#pragma once
#include "shared/contract/outcome.h"
#include "shared/event_log.h"

namespace millrace {

/// How a log says that its job has ended: the outcome its last event was written from. `not_found`
/// where it does not say so.
Task<Result<Outcome>> read_end(EventLog& log, JobId id);

}  // namespace millrace
