#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shared/contract/event.h"
#include "shared/contract/job.h"
#include "shared/contract/state.h"
#include "shared/runtime/error.h"
#include "shared/runtime/task.h"

namespace millrace {

/// What stands in the log of an accepted job.
struct Accepted {
  bool fresh = false;         ///< this call made the record
  bool acknowledged = false;  ///< the queue is known to have it
  std::string fingerprint;    ///< of the body that made it
  JobState state = JobState::queued;
};

struct BeginRequest {
  const Job& job;
  Token token;              ///< fresh for a new run; the same again renews
  std::string_view worker;  ///< whose control channel hears of a cancel
  /// The last seq this holder wrote or heard, 0 for a first begin. Tells a record that lost its
  /// tail from one that is whole. A token that goes on after another has begun is refused as
  /// `busy`, even when the other's lease has ended or was given back.
  Seq known = 0;
  bool begun_before = false;  ///< redelivered or a later attempt: a missing record was lost
  bool force = false;         ///< take the lease from whoever has it (cancel, expiry)
};

struct Begun {
  enum class Outcome : std::uint8_t {
    granted,   ///< the lease is this token's
    busy,      ///< somebody else's live lease: look again after `busy_for`
    terminal,  ///< the job has ended in `state`; its terminal event is in the log
  };
  Outcome outcome = Outcome::granted;
  JobState state = JobState::queued;  ///< before this begin
  Seq last = 0;                       ///< number of the last event; the holder goes on at last + 1
  std::optional<Seq> gap_from;  ///< set after a loss: events from here to `last` do not exist;
                                ///< the holder writes `gap` before anything else
  std::uint32_t errors = 0;     ///< runs that ended in a retry
  std::uint32_t lost_runs = 0;  ///< runs whose lease lapsed without a word, this one not counted
  bool cancel_wanted = false;
  Duration busy_for{};
};

struct AppendRequest {
  JobId id;
  Token token;
  Seq expected = 0;  ///< seq of the last event before these
  std::uint32_t count = 0;
  std::string_view lines;  ///< `count` lines of event.h, numbered expected + 1 onwards
                           ///< (after a gap: first line's seq is what `begin` gave + 1)
  /// The state after these events. A terminal one ends the log; `queued` or `retrying` gives the
  /// lease back (`retrying` counts an error, `queued` counts nothing).
  std::optional<JobState> state;
  /// The lease is renewed as by `begin`; without it, it may be. On the way of every token, so asked
  /// for only when it is due.
  bool renew = true;
};

struct Appended {
  bool cancel_wanted = false;
};

/// A page of a log, and where the job stood when it was read.
struct LogPage {
  std::string lines;  ///< event lines, rising seq, all after what was asked for
  Seq last = 0;       ///< of the whole log
  JobState state = JobState::queued;
  bool more = false;     ///< the page was cut at its limit
  std::string tenant{};  ///< whose job it is
};

struct LogState {
  JobState state = JobState::queued;
  Seq last = 0;
  std::uint32_t attempt = 0;
  bool acknowledged = false;
  bool cancel_wanted = false;
  bool held = false;  ///< a live lease stands
  std::string tenant;
  std::string session;
  std::string kind;
  WallTime created_at{};
  WallTime deadline{};
};

/// Hears a job's events as they happen. Called on the loop that asked; must not block or throw.
class LogWatcher {
 public:
  virtual ~LogWatcher() = default;
  /// New lines, complete, rising; some may be known, some may be missing: the seq tells.
  virtual void on_lines(std::string_view lines) noexcept = 0;
  /// (Re)subscribed: something may have been missed; read the log from the last known seq.
  virtual void on_uncertain() noexcept = 0;
};

/// Hears of jobs that join a session.
class SessionWatcher {
 public:
  virtual ~SessionWatcher() = default;
  virtual void on_job(const JobId& id) noexcept = 0;
  virtual void on_uncertain() noexcept = 0;
};

/// The hot tail of every job: its state, its lease, its numbered events. Readable from any
/// point by anybody, writable by the holder of the lease alone. One object a loop.
///
/// Every call answers within `limits::log_command_timeout`, `unavailable` or `timed_out` while
/// the log is away, `full` while its disk is. What the Store says about an ended job wins over what
/// stands here.
class EventLog {
 public:
  virtual ~EventLog() = default;

  /// Writes the record and the `queued` line if no record is there; says what stands. A session
  /// with `limits::session_jobs_max` live jobs: `overloaded`. One that has any, when `on_busy` of
  /// the job is `reject`: `conflict`; of such jobs that come at once a session takes one.
  virtual Task<Result<Accepted>> accept(const Job& job, std::string_view fingerprint,
                                        std::string_view queued_line) = 0;
  /// The queue has it; of use where the same job may be accepted again (an Idempotency-Key). Told
  /// without waiting: a lost mark only costs a second copy.
  virtual void acknowledge(const Job& job) = 0;
  /// Removes a record that is still unacknowledged and not begun.
  virtual Task<Result<>> withdraw(const Job& job) = 0;
  /// Forgets the log of a job that has ended, as if it had been kept long enough: from here on it
  /// is not found. `conflict`: it has not ended here. Nothing there is no error.
  virtual Task<Result<>> forget(const JobId& id) = 0;

  /// Takes or renews the lease. Idempotent for one token. See BeginRequest and Begun.
  virtual Task<Result<Begun>> begin(const BeginRequest& request) = 0;

  /// Writes numbered events under the lease: all or none. The same append twice is one.
  /// `fenced`: another token stands; `lost`: no record, or one that does not end at `expected`,
  /// or a restarted server: begin again. Events become visible to readers in order.
  virtual Task<Result<Appended>> append(const AppendRequest& request) = 0;

  /// Events after `after`, at most `limits::log_page_events`. `not_found` where no log is.
  virtual Task<Result<LogPage>> read(const JobId& id, Seq after) = 0;

  /// Adds a watcher; `on_uncertain` is called once the subscription stands. One subscription
  /// serves all watchers of a job on this loop.
  virtual void watch(const JobId& id, LogWatcher& watcher) = 0;
  virtual void unwatch(const JobId& id, LogWatcher& watcher) = 0;

  /// Live jobs of a session, oldest first; and news of more.
  virtual Task<Result<std::vector<JobId>>> session_jobs(std::string_view tenant,
                                                        std::string_view session) = 0;
  virtual void watch_session(std::string_view tenant, std::string_view session,
                             SessionWatcher& watcher) = 0;
  virtual void unwatch_session(std::string_view tenant, std::string_view session,
                               SessionWatcher& watcher) = 0;

  /// Marks the wish to cancel and wakes the holder, if there is one. Says where the job stands.
  virtual Task<Result<LogState>> cancel(const JobId& id) = 0;
  /// Hears, on this loop, which jobs begun as `worker` somebody wants cancelled. Empty: stop.
  virtual void on_cancel(std::string_view worker, std::function<void(const JobId&)> heard) = 0;

  /// Where jobs stand, in the order asked, in one round trip; nothing where no record is.
  virtual Task<Result<std::vector<std::optional<LogState>>>> states(std::span<const JobId> ids) = 0;

  /// The Store this log belongs to: registers `store_id` if none is, returns the one that
  /// stands. A process whose own differs must not start.
  virtual Task<Result<std::string>> claim_store(std::string_view store_id) = 0;

  /// True while the log answers; for readiness.
  virtual bool reachable() const = 0;
};

}  // namespace millrace
