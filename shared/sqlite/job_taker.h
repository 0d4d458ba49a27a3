#pragma once
#include <memory>

#include "shared/runtime/signal.h"
#include "shared/sqlite/caller.h"
#include "shared/sqlite/queue_shares.h"
#include "shared/sqlite/threads.h"

namespace millrace::sqlite {

/// What a process's queue counts; read from any thread.
struct QueueCounts {
  std::atomic<std::int64_t> in_flight{0};   ///< handed to workers, not settled
  std::atomic<std::int64_t> held_bytes{0};  ///< of jobs that wait in memory
  std::atomic<std::uint64_t> delivered{0};
  std::atomic<std::uint64_t> dead{0};
};

/// One loop's share of the queue: hears of what is queued, reads from the table what it has not
/// heard of, hands out what may run and writes how deliveries ended. Writes and readings go to
/// the one writing thread in the order in which they are decided here, so a reading sees every
/// write before it; nobody waits for either. Belongs to one loop.
class JobTaker : public std::enable_shared_from_this<JobTaker> {
 public:
  struct Parts {
    std::shared_ptr<QueueShares> shares;
    std::shared_ptr<QueueCounts> counts;
    WriteThread& writes;
    ReplyRouter& replies;
    std::uint32_t jobs_in_flight;
  };
  static std::shared_ptr<JobTaker> start(Clock& clock, Parts parts);
  JobTaker(Clock& clock, Parts parts);
  /// Its share is free for another; what is in hand comes again, there.
  void stop();

  Task<Result<Delivery>> next();
  Result<> settle(const Delivery& delivery, const Verdict& verdict);
  void release(const Delivery& delivery, Instant not_before);

 private:
  void look();
  void take_arrivals();
  void ask();
  void ask_page(WaitingJobs::Reading what);
  void ask_lanes(std::vector<WaitingJobs::LaneReading> lanes);
  void ask_due(WaitingJobs::Reading what);
  void park_those_without_room();
  void come_again(const Delivery& delivery, Instant at, std::uint32_t attempt, bool counted);
  void remove(std::int64_t seq);
  void bury(std::int64_t seq, DeadLetter letter);
  std::vector<WaitingJob> decoded(std::vector<QueueRow> rows);
  std::optional<WaitingJob> decoded(QueueRow& row);
  void reading_failed(Errc error);
  QueueTable::Mine mine() const;
  Instant instant(WallTime due) const;
  WallTime wall(Instant due) const;
  template <class Work>
  void write(std::size_t bytes, Work work);
  template <class T, class Work, class Done>
  void read(Work work, Done done);

  Clock& clock_;
  Parts parts_;
  Caller caller_;
  std::shared_ptr<QueueInbox> inbox_;
  std::size_t share_ = 0;
  std::int64_t old_to_;  ///< rows up to here may have been in somebody's hands
  WaitingJobs waiting_;
  Signal changed_;
  Instant look_again_ = Instant::max();
  Instant asleep_until_ = Instant::min();  ///< whoever waits in `next`
  Instant read_again_ = Instant::min();    ///< after a reading that failed
};

}  // namespace millrace::sqlite
