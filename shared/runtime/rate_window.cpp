#include "shared/runtime/rate_window.h"

#include <algorithm>

namespace millrace {
namespace {
constexpr Duration window = 60s;
constexpr Duration known_least = 5s;
}  // namespace

void RateWindow::add(Instant when, std::int64_t count) {
  samples_.push_back({when, count});
  while (samples_.front().when < when - window) samples_.pop_front();
}

double RateWindow::per_second() const {
  if (samples_.empty()) return 0;
  const auto time = samples_.back().when - samples_.front().when;
  const auto rise = samples_.back().count - samples_.front().count;
  if (time < known_least) return 0;
  return std::max(0.0, static_cast<double>(rise) / std::chrono::duration<double>(time).count());
}

}  // namespace millrace
