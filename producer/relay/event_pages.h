#pragma once
#include <string>

#include "producer/relay/hub.h"
#include "producer/relay/readable.h"

namespace millrace::relay {

/// A job's events as one JSON document, for readers that poll:
/// `{"job","events":[…],"last","status","more","next"}`. `events` are the events as the log has
/// them, `last` is the number of the log's last one, `status` the job's state when it was read;
/// ask again with `after=<next>`, at once while `more` is true.
std::string event_page_json(const JobId& id, const LogPage& page, Seq after, std::size_t limit);

/// Reads that page; made from the Store where the log has gone. `not_found`: nobody knows the
/// job, or its reader may not; `unavailable`: the log is away and the Store has no end of it.
Task<Result<std::string>> read_event_page(Hub& hub, JobId id, Seq after, std::size_t limit,
                                          Readable readable);

}  // namespace millrace::relay
