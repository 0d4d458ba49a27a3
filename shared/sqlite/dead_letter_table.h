#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shared/contract/job.h"
#include "shared/sqlite/database.h"

namespace millrace::sqlite {

/// What is left of a job that no attempt could help.
struct DeadLetter {
  std::int64_t number = 0;  ///< rises; lists go by it
  JobId job;
  std::string reason;
  std::uint32_t attempts = 0;
  WallTime died_at{};
  std::string envelope;
  std::optional<JobId> redriven_as;  ///< the job that does its work again, the last of several
};

/// The statements of the dead letters over one connection; as with QueueTable.
class DeadLetterTable {
 public:
  explicit DeadLetterTable(Database& database) : database_(database) {}

  /// Keeps the letter, and drops those of jobs that died before `forget_before`.
  Result<> add(const DeadLetter& letter, WallTime forget_before);
  /// Newest first, those with a lower number than `before`.
  Result<std::vector<DeadLetter>> list(std::int64_t before, std::size_t limit);
  /// Oldest first, those behind `after` that were not sent again.
  Result<std::vector<DeadLetter>> unsent(std::int64_t after, std::size_t limit);
  /// The last letter of that job, or nothing.
  Result<std::optional<DeadLetter>> of(const JobId& job);
  Result<> set_redriven(std::int64_t number, const JobId& as);

 private:
  Database& database_;
};

}  // namespace millrace::sqlite
