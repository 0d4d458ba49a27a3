#include "workers/pool/run_keeper.h"

#include <algorithm>

namespace millrace {

void RunKeeper::remove(JobRun& run) {
  const auto found = std::ranges::find(runs_, &run);
  if (found == runs_.end()) return;
  *found = runs_.back();
  runs_.pop_back();
}

Task<> RunKeeper::keep() {
  for (;;) {
    co_await clock_.sleep_for(look_every);
    const Instant now = clock_.now();
    for (JobRun* run : runs_) {
      if (!run->leased) continue;
      if (run->pen.lease().renewal_due(now)) run->pen.renew();
      if (now >= run->deadline()) run->interrupt(Stop::deadline);
    }
  }
}

void RunKeeper::cancel(const JobId& id) {
  for (JobRun* run : runs_) {
    if (run->job().id == id) run->interrupt(Stop::cancel);
  }
}

void RunKeeper::hand_over_all() {
  for (JobRun* run : runs_) run->interrupt(Stop::hand_over);
}

}  // namespace millrace
