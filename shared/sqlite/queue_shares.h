#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "shared/runtime/clock.h"
#include "shared/runtime/rate_window.h"
#include "shared/sqlite/waiting_jobs.h"

namespace millrace::sqlite {

/// What was queued for one loop since it last looked.
struct Arrivals {
  struct Queued {
    WaitingJob job;  ///< its `due` is not set: only the loop knows its own clock
    WallTime due{};
  };
  std::vector<Queued> jobs;        ///< in the order of their rows
  std::int64_t newest = 0;         ///< beyond the last job: there were more than fit
  std::optional<WallTime> parked;  ///< the earliest due time of those that wait in the table
};

/// Where one loop hears of what was queued: one wake-up for many jobs, and a bound on how many
/// wait here; the others are read from the table.
class QueueInbox {
 public:
  /// `wake` runs on the loop after something was put.
  QueueInbox(Clock& clock, std::function<void()> wake)
      : loop_(clock.loop()), wake_(std::move(wake)) {}

  /// Any thread.
  static void put(const std::shared_ptr<QueueInbox>& to, Arrivals::Queued queued, bool parked);
  /// On the loop.
  Arrivals take();
  /// On the loop: nothing is posted there any more.
  void leave();

 private:
  void wake();

  asio::io_context& loop_;
  const std::function<void()> wake_;
  std::mutex mutex_;
  Arrivals arrived_;     ///< guarded
  bool posted_ = false;  ///< guarded
  bool left_ = false;    ///< guarded
};

/// What the loops of one queue and the writing thread share: which loop has which part of the
/// jobs, the number of the last row, and how full and how fast the queue is. Thread-safe.
class QueueShares {
 public:
  QueueShares(std::size_t count, std::int64_t waiting, std::int64_t last_seq);

  std::size_t count() const { return inboxes_.size(); }
  /// The part a job belongs to: that of its lane, or of its id where it has none.
  std::size_t share_of(const JobId& job, std::string_view lane) const;

  /// Gives the first share nobody has; throws std::logic_error when each has its loop.
  std::size_t join(std::shared_ptr<QueueInbox> inbox);
  void part(std::size_t share);

  /// The writing thread alone.
  std::int64_t next_seq() { return last_seq_.fetch_add(1, std::memory_order_relaxed) + 1; }
  std::int64_t last_seq() const { return last_seq_.load(std::memory_order_relaxed); }

  /// A row was committed.
  void queued(Arrivals::Queued queued, bool parked);
  /// A row is to be removed.
  void finished(Instant now);
  std::int64_t waiting() const { return waiting_.load(std::memory_order_relaxed); }
  double finished_per_s(Instant now);

 private:
  void sample(Instant now);

  std::mutex mutex_;
  std::vector<std::shared_ptr<QueueInbox>> inboxes_;  ///< guarded but for its size
  std::atomic<std::int64_t> last_seq_;
  std::atomic<std::int64_t> waiting_;

  std::mutex rate_mutex_;
  RateWindow rate_;  ///< guarded, as all below
  std::int64_t finished_ = 0;
  Instant sampled_at_ = Instant::min();
};

}  // namespace millrace::sqlite
