#pragma once
#include <functional>

#include "shared/event_log.h"
#include "shared/runtime/signal.h"

namespace millrace {

/// Who waits for a job's end. `wake` is notified when `gone` has become true, and by whoever
/// looks for the end.
struct Asker {
  Signal& wake;
  std::function<bool()> gone;
};

/// Listens to one job for its end, as long as it exists.
class EndWatch final : private LogWatcher {
 public:
  /// The asker, if there is one, outlives this.
  EndWatch(Clock& clock, EventLog& log, JobId id, const Asker* asker = nullptr)
      : log_(log), id_(id), asker_(asker), own_(clock), news_(asker ? asker->wake : own_) {
    log_.watch(id_, *this);
  }
  ~EndWatch() { log_.unwatch(id_, *this); }
  EndWatch(const EndWatch&) = delete;
  EndWatch& operator=(const EndWatch&) = delete;

  /// True once the log has the terminal event: heard, or found when asked, which is done whenever
  /// something may have been missed and at `deadline`. False then, while the log is away, or
  /// when the asker has gone.
  Task<bool> wait_until(Instant deadline);

 private:
  void on_lines(std::string_view lines) noexcept override;
  void on_uncertain() noexcept override;
  Task<bool> ask();
  bool asker_gone() const { return asker_ && asker_->gone(); }

  EventLog& log_;
  JobId id_;
  const Asker* asker_;
  Signal own_;
  Signal& news_;
  bool ended_ = false;
  bool uncertain_ = false;
};

}  // namespace millrace
