#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shared/contract/job.h"
#include "shared/runtime/error.h"
#include "shared/runtime/task.h"

namespace millrace {

/// What is left of a job that no attempt could help.
struct DeadLetter {
  std::int64_t number = 0;  ///< rises; lists go by it
  JobId job;
  std::string tenant = "default";
  std::string reason;
  std::uint32_t attempts = 0;
  WallTime died_at{};
  std::string envelope;
  std::optional<JobId> redriven_as;  ///< the job that does its work again, the last of several
};

/// The letters that can be asked for over HTTP: kept 30 days, to be looked at and to be sent again.
/// The job of a letter has ended for good, so its work is done by a new job whose
/// `metadata.redriven_from` names the old one (contract/redriven.h). One object a loop.
class DeadLetters {
 public:
  virtual ~DeadLetters() = default;
  static constexpr std::size_t page_max = 100;

  /// The tenant's, newest first, at most `page_max`, those before the one with that number (0: from
  /// the newest).
  virtual Task<Result<std::vector<DeadLetter>>> list(std::string tenant, std::int64_t before,
                                                     std::size_t limit) = 0;

  /// Does the work of that job again, under another new id each time; answers the new job.
  /// `not_found`: it left no letter, or is another tenant's; `invalid`: nobody can read its
  /// envelope.
  virtual Task<Result<Job>> redrive(std::string tenant, JobId job) = 0;

  struct Sent {
    JobId from;
    JobId as;
  };
  struct SentPage {
    std::vector<Sent> sent;
    std::uint64_t skipped = 0;  ///< that nobody can read: they stay
    std::int64_t next = 0;      ///< `after` of the next page; 0: that was all
  };
  /// Does the work again of the tenant's with a number above `after` that were not sent before,
  /// oldest first. The new ids are derived, so a run that was interrupted is gone on with, and
  /// makes no job twice.
  virtual Task<Result<SentPage>> redrive_unsent(std::string tenant, std::int64_t after) = 0;
};

}  // namespace millrace
