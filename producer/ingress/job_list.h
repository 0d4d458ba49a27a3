#pragma once
#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "producer/ingress/refusal.h"
#include "shared/http/message.h"
#include "shared/store.h"

namespace millrace {

/// Reads `?status=&kind=&session=&limit=&after=`; 400 for a parameter that is not known, is given
/// twice, or has a value that is not allowed.
std::expected<JobFilter, Refusal> parse_job_filter(const http::Request& request);

/// The job of `after` is nobody's, or has been deleted since the page that named it.
Refusal no_such_place(const JobFilter& filter);

/// `{data:[…],has_more,next}` from up to `limit` + 1 jobs; `next` is what `after` takes.
std::string job_list_json(const std::vector<StoredJob>& jobs, std::uint32_t limit,
                          const std::function<std::string(const JobId&)>& events_link);

}  // namespace millrace
