#pragma once
#include <expected>
#include <string_view>

#include "shared/contract/job.h"
#include "shared/contract/problem.h"
#include "shared/outbound/guard.h"
#include "shared/runtime/time.h"

namespace millrace {

/// Reads the body of `POST /v1/jobs`, or one line of NDJSON. Pure.
///
/// The job gets `created_at = now`, its deadline, and no id yet; its envelope has its `webhook` at
/// most. `guard`: where a webhook may lead. `input` and `metadata` stay the JSON they were, on one
/// line. `null` is the same as leaving out, but for `input`. A problem names the field (JSON
/// pointer), the limit and the remedy; the first one found is told.
std::expected<Job, Problem> parse_job_request(
    std::string_view body, WallTime now,
    const outbound::Guard& guard = outbound::Guard::public_only());

}  // namespace millrace
