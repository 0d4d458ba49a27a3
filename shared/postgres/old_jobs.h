#pragma once
#include "shared/postgres/connection.h"
#include "shared/runtime/task.h"

namespace millrace::postgres {

/// The jobs that have been kept long enough.
class OldJobs {
 public:
  static constexpr std::int64_t batch_max = 256;

  explicit OldJobs(Connection& connection) : connection_(connection) {}

  /// Removes jobs that ended before, the oldest first, with their steps and webhooks, in one
  /// statement and at most `batch_max`; those that another process is removing are left to it. Says
  /// how many.
  Task<Result<std::int64_t>> remove(WallTime ended_before);

 private:
  Connection& connection_;
};

}  // namespace millrace::postgres
