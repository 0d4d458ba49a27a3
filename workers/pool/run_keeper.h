#pragma once
#include <vector>

#include "workers/pool/job_run.h"

namespace millrace {

/// Looks after the runs of one loop: renews their leases while they write nothing, ends them at
/// their deadline, brings them the news of a cancel. One task for all of them; renewals that fall
/// due together leave together.
class RunKeeper {
 public:
  /// How exactly deadlines and renewals are met.
  static constexpr Duration look_every = 250ms;

  explicit RunKeeper(Clock& clock) : clock_(clock) {}

  void add(JobRun& run) { runs_.push_back(&run); }
  void remove(JobRun& run);
  std::size_t size() const { return runs_.size(); }

  /// Until it is cancelled.
  Task<> keep();
  void cancel(const JobId& id);
  /// Every run has to leave its job to another process now.
  void hand_over_all();

 private:
  Clock& clock_;
  std::vector<JobRun*> runs_;  ///< an order that no address decides: a run can be repeated
};

}  // namespace millrace
