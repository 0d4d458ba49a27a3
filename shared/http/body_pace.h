#pragma once
#include "shared/http/server.h"

namespace millrace::http {

/// Until when the next piece of a body may come: `body_idle` after the last, and the whole no
/// slower than `body_bytes_per_s_min` on average, beside a first `body_grace`. So a body that drips
/// ends, and a slow upload that goes on does not. Plain values, no clock of its own.
class BodyPace {
 public:
  BodyPace(const ServerTimes& times, Instant began) : times_(times), began_(began) {}

  /// With so many bytes there.
  Instant deadline(std::size_t bytes, Instant now) const;
  /// True where the average, not the pause, is what ended it.
  bool too_slow_on_average(std::size_t bytes, Instant now) const { return now >= due(bytes); }

 private:
  Instant due(std::size_t bytes) const;

  const ServerTimes& times_;
  Instant began_;
};

}  // namespace millrace::http
