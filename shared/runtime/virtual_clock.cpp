#include "shared/runtime/virtual_clock.h"

namespace millrace {

void VirtualClock::advance_to(Instant time) {
  wall_ += std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()) -
           std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch());
  now_ = time;
}

void VirtualClock::run_until(Instant end) {
  for (;;) {
    loop().restart();
    loop().poll();
    if (head() > end) break;
    if (head() > now_) advance_to(head());
    fire_until(now_);
  }
  if (end > now_) advance_to(end);
}

}  // namespace millrace
