#pragma once
#include <memory>
#include <vector>

#include "shared/contract/job.h"
#include "shared/runtime/random.h"
#include "shared/sqlite/dead_letter_table.h"
#include "shared/sqlite/sqlite_job_queue.h"

namespace millrace {

namespace sqlite {
class Caller;
}

/// The dead letters of an embedded millrace, as seen from one loop: kept 30 days, to be looked at
/// and to be sent again. The job of a letter has ended for good, so its work is done by a new job
/// whose `metadata.redriven_from` names the old one (contract/redriven.h). Belongs to the loop of
/// `clock`; store, queue, clock and random outlive it.
class SqliteDeadLetters {
 public:
  using Letter = sqlite::DeadLetter;
  static constexpr std::size_t page_max = 500;

  SqliteDeadLetters(SqliteStore& store, SqliteJobQueue& queue, Clock& clock, Random& random);
  ~SqliteDeadLetters();

  /// Newest first, at most `page_max`, those before the one with that number (0: from the newest).
  Task<Result<std::vector<Letter>>> list(std::int64_t before, std::size_t limit);

  /// Does the work of that job again, under another new id each time; answers the new job.
  /// `not_found`: it left no letter; `invalid`: nobody can read its envelope.
  Task<Result<Job>> redrive(JobId job);

  struct Sent {
    std::uint64_t sent = 0;
    std::uint64_t skipped = 0;  ///< that nobody can read: they stay
  };
  /// Does the work of all those again that were not sent before. The new ids are derived, so a
  /// run that was interrupted is gone on with, and makes no job twice.
  Task<Result<Sent>> redrive_all();

 private:
  Task<Result<>> send(Job job, std::int64_t number);

  Clock& clock_;
  Random& random_;
  sqlite::WriteThread& writes_;
  std::unique_ptr<JobQueue> queue_;
  std::unique_ptr<sqlite::Caller> caller_;
};

}  // namespace millrace
