#include "producer/ingress/end_watch.h"

#include <span>

namespace millrace {

Task<bool> EndWatch::wait_until(Instant deadline) {
  for (bool in_time = true; in_time && !ended_ && !asker_gone();) {
    in_time = co_await news_.wait_until(deadline);
    if (!ended_ && (uncertain_ || !in_time)) {
      uncertain_ = false;
      const bool in_log = co_await ask();
      ended_ = ended_ || in_log;  // it may have been heard meanwhile
    }
  }
  co_return ended_;
}

Task<bool> EndWatch::ask() {
  const auto states = co_await log_.states(std::span(&id_, 1));
  co_return states && states->front() && terminal(states->front()->state);
}

void EndWatch::on_lines(std::string_view lines) noexcept {
  EventLine event;
  while (next_event(lines, event)) ended_ = ended_ || terminal_event(event.type);
  if (ended_) news_.notify();
}

void EndWatch::on_uncertain() noexcept {
  uncertain_ = true;
  news_.notify();
}

}  // namespace millrace
