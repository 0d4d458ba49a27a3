#pragma once
#include <optional>

#include "producer/ingress/cancel.h"
#include "producer/ingress/refusal.h"
#include "shared/event_log.h"
#include "shared/runtime/nursery.h"
#include "shared/sessions.h"

namespace millrace {

/// Makes way in a session for a job that does not wait: `on_busy` `interrupt` or `rollback` (design
/// §4). One a loop; what it is made of outlives it.
class Interrupt {
 public:
  Interrupt(EventLog& log, Cancel& cancel, Sessions& sessions, Clock& clock)
      : log_(log), cancel_(cancel), sessions_(sessions), clock_(clock) {}

  /// True for a job that this is for.
  static bool wanted(const Job& job);

  /// Cancels every live job of the session that was accepted before this one, all at once; with
  /// `rollback` their turns are taken back too. The job must stand in the log: of two that
  /// interrupt at the same time the later one cancels the earlier. A refusal where one could not be
  /// ended: then some may have been, and asking again is safe.
  Task<std::optional<Refusal>> make_way(const Job& job);

 private:
  Task<> end(Job earlier, bool take_back, std::optional<Refusal>& refusal);

  EventLog& log_;
  Cancel& cancel_;
  Sessions& sessions_;
  Clock& clock_;
};

}  // namespace millrace
