#pragma once
#include <string>
#include <string_view>

#include "shared/store.h"

namespace millrace {

/// Links that carry their own permission.
struct JobLinks {
  std::string events;
  std::string input;  ///< empty: the input is none that can be read
};

/// `{id,status,kind,session,model,created_at,started_at,ended_at,deadline,attempts,metadata,
/// result,usage,error,links}`; what is not known or not set is null. `accepted` is as `job_of`
/// gives it; null in a list, where the result and the metadata are left out. Without
/// `with_result` the result is null.
std::string job_json(const StoredJob& job, const Job* accepted, const JobLinks& links,
                     bool with_result = true);

/// The body of a 202: `{id,status,session,created_at,links}`.
std::string receipt_json(const JobId& id, JobState state, std::string_view session,
                         WallTime created_at, std::string_view events_link);

/// `/v1/jobs/<id>`
std::string job_path(const JobId& id);

/// Stands where the input is not known; no request has it.
inline constexpr std::string_view unknown_input = R"("")";
/// The job as it was accepted; where its envelope is not known, what is known of it.
Job job_of(const StoredJob& stored);

}  // namespace millrace
