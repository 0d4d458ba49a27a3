#pragma once
#include <optional>
#include <vector>

#include "workers/pool/conversation.h"
#include "workers/pool/job_run.h"
#include "workers/pool/verdict.h"

namespace millrace {

/// Makes one summary of `past.summary` and `past.older`, by a call of the model, and keeps it with
/// the session: the next message's is made of this one. A step of its own: journaled before it is
/// kept, so it is paid once. Readers hear nothing of it. Says how the run ends where it does.
Task<std::optional<RunEnd>> summarise(JobRun& run, const Job& job,
                                      const std::vector<Step>& finished, Past& past);

}  // namespace millrace
