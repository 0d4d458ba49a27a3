#include "shared/http/body_pace.h"

#include <algorithm>

namespace millrace::http {

Instant BodyPace::due(std::size_t bytes) const {
  const double earned_s =
      static_cast<double>(bytes) / static_cast<double>(times_.body_bytes_per_s_min);
  return began_ + times_.body_grace +
         std::chrono::duration_cast<Duration>(std::chrono::duration<double>(earned_s));
}

Instant BodyPace::deadline(std::size_t bytes, Instant now) const {
  return std::min(now + times_.body_idle, due(bytes));
}

}  // namespace millrace::http
