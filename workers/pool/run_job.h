#pragma once
#include "workers/pool/job_run.h"
#include "workers/pool/verdict.h"

namespace millrace {

/// Runs a delivered job until it has an end, or until this run has to stop: asks the Store what
/// is known, takes the lease, goes through the steps that are not finished yet. What the steps
/// say goes to the run's pen; nothing is decided here.
Task<RunEnd> run_job(JobRun& run);

}  // namespace millrace
