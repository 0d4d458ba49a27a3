#pragma once
#include "workers/pool/job_run.h"
#include "workers/pool/verdict.h"

namespace millrace {

/// Decides what becomes of a run, and carries it out in this order: the Store decides the
/// outcome, readers hear it, downstream gets the result, the delivery is settled. Whatever
/// cannot be told leaves the delivery unsettled: it comes again, and the next run goes on from
/// what the Store knows. Keeps trying while the Store is away, as long as the lease holds.
Task<> tell_then_settle(JobRun& run, RunEnd ended);

/// Gives a lease that is still held back at once, telling readers why; another run may begin.
/// `why` outlives the call.
Task<> give_lease_back(JobRun& run, std::string_view why);

/// What `millrace.results` carries of a finished job:
/// `{"id","status","kind","tenant","session","result","usage","error","ended_at"}`; members that
/// do not apply are null.
std::string encode_result(const Job& job, const Outcome& outcome, WallTime ended_at);

}  // namespace millrace
