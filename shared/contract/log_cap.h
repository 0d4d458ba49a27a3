#pragma once
#include <string>
#include <string_view>

#include "shared/contract/event.h"

namespace millrace {

/// How much of a log that has grown too long stays word for word at its end, and how much of what
/// is neither text nor in that end.
struct KeptEvents {
  std::size_t events_max;
  std::size_t bytes_max;
};

struct ShortenedLog {
  Seq from = 0;       ///< what is older is replaced
  std::string lines;  ///< by these: events that are no text, and one `snapshot` of all text
};

/// Shortens a whole log, given as its lines: the text events (`delta`, `rewind`, `snapshot`) older
/// than the end become one `snapshot`, numbered as the last of them; what was said beside the text
/// is left to the last event, which has it whole; of the others the newest are kept. `from` is 0
/// when there is nothing to replace.
ShortenedLog shortened(std::string_view lines, const EventWriter& writer, WallTime now,
                       KeptEvents kept);

}  // namespace millrace
