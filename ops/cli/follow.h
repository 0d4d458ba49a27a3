#pragma once
#include <functional>
#include <string>

#include "ops/cli/edge.h"
#include "ops/cli/sse_reader.h"

namespace millrace::cli {

/// How following a stream ended.
struct Followed {
  bool ended = false;     ///< `until` said so, or the edge has nothing more to tell
  BlockingAnswer answer;  ///< of the last connection; for the reason when not ended
};

/// Reads the event stream at `path` and comes back to its place after every cut, so that each
/// event is taken once, in order; gives up once no connection has brought anything for
/// `patience`. A first connection that is refused or finds nobody ends it at once. `take` answers
/// true when that event was the last.
Followed follow(Edge& edge, const std::string& path,
                const std::function<bool(const SseEvent&)>& take, Duration patience = 5min);

}  // namespace millrace::cli
