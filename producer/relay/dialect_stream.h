#pragma once
#include <memory>
#include <string>

#include "producer/relay/hub.h"
#include "producer/relay/sse.h"
#include "shared/http/message.h"

namespace millrace::relay {

/// A job's events in the words of another surface: a pure fold over the log from its beginning, so
/// the same log gives the same bytes wherever and whenever it is read.
class Dialect {
 public:
  virtual ~Dialect() = default;
  /// Takes the next event and appends what the client is told of it, as whole SSE blocks; the last
  /// of them carries the event's number as its id, so what was cut before is told again. Nothing is
  /// taken once it is over.
  virtual void take(const Frame& frame, std::string& out) = 0;
  /// The terminal event has been taken.
  virtual bool over() const = 0;
};

/// The body of a response that tells one job in a dialect: to a client whose last id was `after`
/// (0: none) what comes behind it. For a job that was just accepted too, as `new_job_stream`. Ends
/// after the terminal event, or when the client has gone, was cut, or the server drains: it comes
/// back with its last id. The hub outlives the stream. The dialect is shared because a `StreamBody`
/// has to be copyable, not because it has two owners.
http::StreamBody dialect_stream(Hub& hub, const JobId& id, Seq after,
                                std::shared_ptr<Dialect> dialect);

}  // namespace millrace::relay
