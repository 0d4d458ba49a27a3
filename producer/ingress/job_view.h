#pragma once
#include <string>
#include <string_view>

#include "producer/ingress/submit.h"
#include "shared/event_log.h"
#include "shared/job_json.h"
#include "shared/store.h"

namespace millrace {

std::string receipt_json(const Receipt& receipt, std::string_view events_link);

/// What the Store and the log say together about a job that the Store does not know as ended.
StoredJob merged(StoredJob row, const LogState& log);
/// A job whose row has not been written yet.
StoredJob from_log(const JobId& id, const LogState& log);

}  // namespace millrace
