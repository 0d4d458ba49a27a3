#pragma once
#include <memory>

#include "producer/relay/hub.h"
#include "shared/http/message.h"

namespace millrace::relay {

/// How much of the past a reader wants to see.
enum class Backlog : std::uint8_t {
  events,    ///< every event after its last
  snapshot,  ///< the text so far in one made `snapshot`; other events one by one
};

/// The body of one job's SSE response, from the seat's place to the terminal event. Returns once
/// that has been written (the response ends then), the reader has gone or was cut, or the server
/// drains; a reader that was cut off comes back with its last id. The hub outlives the stream.
/// The seat is shared because a `StreamBody` has to be copyable, not because it has two owners.
http::StreamBody job_stream(Hub& hub, std::shared_ptr<Seat> seat, Backlog backlog);

/// The same for a job that has just been accepted: takes its seat when the stream begins, and
/// again each second until log or Store know the job, at most `open_retry_for`.
http::StreamBody new_job_stream(Hub& hub, const JobId& id, Seq after);
inline constexpr auto open_retry_for = 60s;

}  // namespace millrace::relay
