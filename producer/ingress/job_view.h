#pragma once
#include <string>
#include <string_view>

#include "producer/ingress/submit.h"
#include "shared/event_log.h"
#include "shared/store.h"

namespace millrace {

/// Links that carry their own permission.
struct JobLinks {
  std::string events;
  std::string input;  ///< empty: the input is none that can be read
};

/// `{id,status,kind,session,model,created_at,started_at,ended_at,deadline,attempts,metadata,
/// result,usage,error,links}`; what is not known or not set is null. `accepted` is as `job_of`
/// gives it; null in a list, where the result and the metadata are left out.
std::string job_json(const StoredJob& job, const Job* accepted, const JobLinks& links);

/// The body of a 202: `{id,status,session,created_at,links}`.
std::string receipt_json(const Receipt& receipt, std::string_view events_link);

/// `/v1/jobs/<id>`
std::string job_path(const JobId& id);

/// What the Store and the log say together about a job that the Store does not know as ended.
StoredJob merged(StoredJob row, const LogState& log);
/// A job whose row has not been written yet.
StoredJob from_log(const JobId& id, const LogState& log);
/// Stands where the input is not known; no request has it.
inline constexpr std::string_view unknown_input = R"("")";
/// The job as it was accepted; where its envelope is not known, what is known of it.
Job job_of(const StoredJob& stored);

}  // namespace millrace
