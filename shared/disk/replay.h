#pragma once
#include <algorithm>
#include <cstdint>
#include <unordered_map>

#include "shared/disk/ended_index.h"
#include "shared/disk/job_log.h"
#include "shared/disk/segment_format.h"
#include "shared/disk/segment_writer.h"

namespace millrace::disk {

/// What entries, read one after the other, say of jobs. Begun with the first segment that restates
/// every job live at its beginning, it ends with all that live.
///
/// A job whose entries do not follow one another has lost some: it keeps the events up to there,
/// and no era, so that its next holder announces a gap. So does one of which nothing is read behind
/// damaged bytes, for they may have been its own.
class Replay {
 public:
  struct Job {
    JobLog log;
    std::uint32_t restated = 0;  ///< the segment of its last record
    bool doubted = false;        ///< events behind its last may have been lost
  };

  void take(const Entry& entry, const Place& place);

  /// Bytes before the next entry are damaged.
  void doubt();
  /// All entries have been taken: cuts each job before the first run that is `lost`.
  template <class Lost>
  void cut(Lost lost) {
    for (auto& [id, job] : live_) {
      auto& runs = job.log.runs;
      const auto first = std::ranges::find_if(runs, lost);
      if (first != runs.end()) keep(job.log, static_cast<std::size_t>(first - runs.begin()));
      if (job.doubted) job.log.standing.era = 0;
    }
  }
  /// Forgets the ended jobs that are `lost`.
  template <class Lost>
  void forget_ended(Lost lost) {
    std::erase_if(ended_, [&](const auto& one) { return lost(one.second); });
  }

  std::unordered_map<JobId, Job>& live() { return live_; }
  const std::unordered_map<JobId, EndedJob>& ended() const { return ended_; }

 private:
  void take_record(const Entry& entry, const Place& place);
  void take_lines(const Entry& entry, const Place& place);
  void take_standing(const Entry& entry);
  static void keep(JobLog& log, std::size_t runs);

  std::unordered_map<JobId, Job> live_;
  std::unordered_map<JobId, EndedJob> ended_;
};

}  // namespace millrace::disk
