#pragma once
#include <map>
#include <memory>
#include <unordered_map>

#include "producer/relay/feed.h"
#include "producer/relay/metrics.h"
#include "producer/relay/stored_end.h"
#include "shared/runtime/limits.h"
#include "shared/runtime/nursery.h"

namespace millrace::relay {

inline constexpr auto feed_kept_empty = 2s;  ///< readers that reconnect find it warm
inline constexpr std::size_t feeds_kept_empty_max = 1000;
inline constexpr auto subscription_wait = 200ms;  ///< then the backlog is read without it
inline constexpr auto hub_tick = 1s;

/// Follows jobs for the readers of one loop: one watch on the log a job, however many read it.
///
/// Subscribes, then reads the backlog, then takes what comes live; reads the log again after
/// every uncertainty and every jump; asks the log about jobs that have been silent for
/// `limits::silent_job_check`, all in one batch; asks the Store where the log has gone, and about
/// a silent job that runs without a lease. While
/// the log is away readers wait and lose nothing.
///
/// One a loop. Log, Store and clock outlive it; it outlives its seats. Seats may be taken
/// before `run` starts.
class Hub {
 public:
  Hub(Clock& clock, EventLog& log, FindJob find, RelayMetrics& metrics);
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;
  ~Hub();

  /// Checks and retries until cancelled or `stop`; returns when no task of the hub is left.
  Task<> run();
  void stop() { nursery_.stop(); }

  /// A place after event `after`, at once; the feed may still be opening.
  std::unique_ptr<Seat> sit(const JobId& id, Seq after);
  /// Waits until the feed has opened: then its tenant says whose it is. `not_found`: nobody knows
  /// the job; `unavailable`: the log is away and the Store cannot tell.
  Task<Result<>> opened(const Seat& seat);
  /// Both.
  Task<Result<std::unique_ptr<Seat>>> open(JobId id, Seq after);

  /// The next page for a seat that is behind; readers who want the same share one read.
  /// Announces what the log no longer has. Fails while the log is away.
  Task<Result<FramedPage>> fetch(Seat& seat);
  /// The log's own page after `after`, shared in the same way.
  Task<Result<std::shared_ptr<const LogPage>>> page(JobId id, Seq after);

  /// True when the job has ended (the Store has its outcome then), false when it had not by
  /// `deadline`. Waits, too, for a job that the log does not know yet.
  Task<bool> wait_for_end(JobId id, Instant deadline);

  Clock& clock() const { return clock_; }
  EventLog& log() const { return log_; }
  const FindJob& find() const { return find_; }
  RelayMetrics& metrics() const { return metrics_; }

 private:
  friend class Feed;
  friend class Seat;

  /// A read of the log that several may wait for.
  struct SharedRead {
    explicit SharedRead(Clock& clock) : done(clock) {}
    Result<std::shared_ptr<const LogPage>> page = Failure(Errc::timed_out);
    Seq floor = 0;  ///< the tail began behind this number when the read was sent
    bool ended = false;
    Signal done;
  };
  using ReadKey = std::pair<JobId, Seq>;

  Feed& feed_of(const JobId& id, Seq first_after);
  void catch_up_soon(Feed& feed) noexcept;
  Task<> catch_up(Feed& feed);
  Task<> settle_without_log(Feed& feed, Errc why);
  Task<> keep_watch();
  Task<> check_silent();
  Task<> end_or_catch_up(JobId id);
  void retry_overdue();
  void sweep();
  void left(Feed& feed);
  bool unused(const Feed& feed) const;
  void drop(const JobId& id);
  Task<std::shared_ptr<SharedRead>> shared_read(JobId id, Seq after, Seq floor);
  Task<> perform(std::shared_ptr<SharedRead> read, JobId id, Seq after);
  Task<FramedPage> without_page(Seat& seat);

  Clock& clock_;
  EventLog& log_;
  FindJob find_;
  RelayMetrics& metrics_;
  Nursery nursery_;
  std::unordered_map<JobId, std::unique_ptr<Feed>> feeds_;
  std::map<ReadKey, std::shared_ptr<SharedRead>> reads_;
  std::size_t empty_ = 0;  ///< feeds without a reader
};

}  // namespace millrace::relay
