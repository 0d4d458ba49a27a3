#pragma once
#include <memory>

#include "shared/dead_letters.h"
#include "shared/runtime/random.h"
#include "shared/sqlite/sqlite_job_queue.h"

namespace millrace {

namespace sqlite {
class Caller;
}

/// The dead letters of an embedded millrace. Belongs to the loop of `clock`; store, queue, clock
/// and random outlive it.
class SqliteDeadLetters final : public DeadLetters {
 public:
  SqliteDeadLetters(SqliteStore& store, SqliteJobQueue& queue, Clock& clock, Random& random);
  ~SqliteDeadLetters() override;

  Task<Result<std::vector<DeadLetter>>> list(std::string tenant, std::int64_t before,
                                             std::size_t limit) override;
  Task<Result<Job>> redrive(std::string tenant, JobId job) override;
  Task<Result<SentPage>> redrive_unsent(std::string tenant, std::int64_t after) override;

 private:
  Task<Result<>> send(Job job, std::int64_t number);

  Clock& clock_;
  Random& random_;
  sqlite::WriteThread& writes_;
  std::unique_ptr<JobQueue> queue_;
  std::unique_ptr<sqlite::Caller> caller_;
};

}  // namespace millrace
