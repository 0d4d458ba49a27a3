#pragma once
#include <string>

#include "shared/event_log.h"

namespace millrace {

/// What earlier runs of a job have said, as its readers hold it.
struct Said {
  std::string text;
  Seq begins_after = 0;      ///< the last event before its first word
  std::uint32_t pieces = 0;  ///< in how many deltas it came
  bool aside = false;        ///< something was said beside the text, too
};

/// Reads a log from its beginning. A log that has gone said nothing.
Task<Result<Said>> read_back(EventLog& log, JobId id);

}  // namespace millrace
