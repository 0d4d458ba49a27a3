#pragma once
#include "shared/runtime/clock.h"
#include "shared/runtime/task.h"
#include "shared/sqlite/database.h"

namespace millrace::sqlite {

class CallQueue;
class ReplyRouter;

/// The jobs that have been kept long enough, over one connection, inside a transaction that the
/// caller opens and commits.
class OldJobs {
 public:
  explicit OldJobs(Database& database);

  struct Removed {
    std::size_t jobs = 0;
    bool more = false;  ///< there may be others: the bounds were met first
  };
  /// Removes jobs that ended before, the oldest first, with their steps and webhooks: as many as
  /// hold up those who wait for the same commit by a few milliseconds.
  Result<Removed> remove(WallTime ended_before);

 private:
  Result<bool> remove_oldest(WallTime ended_before);
  Result<std::int64_t> free_pages();

  Database& database_;
  Statement oldest_;
  Statement steps_;
  Statement attempts_;
  Statement delivery_;
  Statement job_;
  Statement free_pages_;
};

/// Removes each hour what ended more than `kept` ago, in small batches, until cancelled. Between
/// two of them it leaves the writing thread to others for four times as long as the last took.
Task<> remove_old_jobs(Clock& clock, ReplyRouter& replies, CallQueue& writes, Duration kept);

}  // namespace millrace::sqlite
