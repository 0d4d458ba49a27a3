#pragma once
#include <functional>
#include <string>

#include "shared/store.h"

namespace millrace::relay {

/// How the relay asks the Store for a job, whosever it is.
using FindJob = std::function<Task<Result<StoredJob>>(JobId)>;

/// The event line that ends a job whose log has gone, made from what the Store keeps. Its number
/// is `last_seq_possible`: a reader who has it is past the end, and is told so by 204. The job
/// must have ended.
std::string stored_end_line(const StoredJob& job);

}  // namespace millrace::relay
