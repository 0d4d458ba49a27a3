#pragma once
#include <expected>
#include <string_view>

#include "shared/contract/job.h"
#include "shared/contract/problem.h"
#include "shared/runtime/time.h"

namespace millrace {

/// Reads the body of `POST /v1/jobs`, or one line of NDJSON. Pure.
///
/// The job gets `created_at = now`, its deadline, and no id or envelope yet. `input` and
/// `metadata` stay the JSON they were, on one line. `null` is the same as leaving out, but for
/// `input`. A problem names the field (JSON pointer), the limit and the remedy; the first one
/// found is told.
std::expected<Job, Problem> parse_job_request(std::string_view body, WallTime now);

}  // namespace millrace
