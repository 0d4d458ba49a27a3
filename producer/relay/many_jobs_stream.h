#pragma once
#include <memory>
#include <string>
#include <vector>

#include "producer/relay/cursor.h"
#include "producer/relay/hub.h"
#include "shared/http/message.h"

namespace millrace::relay {

using Seats = std::vector<std::unique_ptr<Seat>>;

/// Several jobs' events on one connection: the frames of each in its order, any interleaving.
/// Each frame's id is the cursor of the whole connection, so any frame is a place to come back
/// to. Ends after the last job's terminal event.
http::StreamBody jobs_stream(Hub& hub, std::shared_ptr<Seats> seats);

/// The same for the live jobs of a session, oldest first and at most
/// `limits::jobs_per_stream_max` at once; jobs accepted later join with all their events. Stays
/// open until the reader leaves. `resume` gives places in jobs that the reader had not seen
/// end; one that is not of this session is ignored. A job that was both accepted and ended while
/// the reader was away is not told of.
http::StreamBody session_stream(Hub& hub, std::string tenant, std::string session, Cursor resume);

}  // namespace millrace::relay
