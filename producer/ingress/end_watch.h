#pragma once
#include "shared/event_log.h"
#include "shared/runtime/signal.h"

namespace millrace {

/// Listens to one job for its end, as long as it exists.
class EndWatch final : private LogWatcher {
 public:
  EndWatch(Clock& clock, EventLog& log, JobId id) : log_(log), id_(id), news_(clock) {
    log_.watch(id_, *this);
  }
  ~EndWatch() { log_.unwatch(id_, *this); }
  EndWatch(const EndWatch&) = delete;
  EndWatch& operator=(const EndWatch&) = delete;

  /// True once the log has the terminal event: heard, or found when asked, which is done whenever
  /// something may have been missed and at `deadline`. False then, or while the log is away.
  Task<bool> wait_until(Instant deadline);

 private:
  void on_lines(std::string_view lines) noexcept override;
  void on_uncertain() noexcept override;
  Task<bool> ask();

  EventLog& log_;
  JobId id_;
  Signal news_;
  bool ended_ = false;
  bool uncertain_ = false;
};

}  // namespace millrace
