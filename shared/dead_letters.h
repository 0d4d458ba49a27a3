#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shared/contract/job.h"
#include "shared/runtime/error.h"
#include "shared/runtime/task.h"

namespace millrace {

/// What is left of a job that no attempt could help; what it was asked stands in the Store alone.
struct DeadLetter {
  std::int64_t number = 0;  ///< rises; lists go by it
  JobId job;
  std::string tenant = "default";
  std::string reason;
  std::uint32_t attempts = 0;
  WallTime died_at{};
  std::optional<JobId> redriven_as;  ///< the job that does its work again, the last of several
};

/// The letters that can be asked for over HTTP: kept 30 days, to be looked at, and to know whose
/// work was not done again (producer/ingress/redrive.h does it). A job leaves one at most. One
/// object a loop.
class DeadLetters {
 public:
  virtual ~DeadLetters() = default;
  static constexpr std::size_t page_max = 100;

  /// The tenant's, newest first, at most `page_max`, those before the one with that number (0: from
  /// the newest).
  virtual Task<Result<std::vector<DeadLetter>>> list(std::string tenant, std::int64_t before,
                                                     std::size_t limit) = 0;

  /// The tenant's with a number above `after` whose work was not done again, oldest first, at most
  /// `page_max`.
  virtual Task<Result<std::vector<DeadLetter>>> unsent(std::string tenant, std::int64_t after) = 0;

  /// Job `as` does the work of the tenant's failed job again. Where its letter is still to come, it
  /// is made here.
  virtual Task<Result<>> note_redriven(std::string tenant, JobId job, JobId as) = 0;
};

}  // namespace millrace
