#pragma once
#include "shared/event_log.h"
#include "shared/runtime/clock.h"
#include "shared/store.h"

namespace millrace {

/// Makes sure that this log belongs to this Store: waits until the log answers. Throws
/// std::runtime_error when another Store is registered there (two hosts with SQLite each, or a
/// new file beside an old Redis): they would contradict each other about the same jobs.
Task<> claim_store(EventLog& log, const Store& store, Clock& clock);

/// Claims as above, then every 2 s until cancelled: a Redis that was emptied would welcome any
/// store, while this one's processes go on. Another store that stands there meanwhile is logged,
/// and ends nothing: jobs that were taken are finished.
Task<> hold_store_claim(EventLog& log, const Store& store, Clock& clock);

}  // namespace millrace
