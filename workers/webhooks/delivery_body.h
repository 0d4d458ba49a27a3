#pragma once
#include <cstddef>
#include <string>

#include "shared/store.h"

namespace millrace {

inline constexpr std::size_t delivery_body_bytes_max = 256 * 1024;

/// `{"type":"job.succeeded","timestamp":…,"data":{…}}`: the time of the job's end, and the job as
/// `GET /v1/jobs/{id}` shows it, with links that carry no permission. Where that would be larger
/// than `delivery_body_bytes_max`, `result` is null, `result_omitted` is true, and the result is
/// behind `links.self`. The same bytes for each try.
std::string delivery_body(const StoredJob& job);

}  // namespace millrace
