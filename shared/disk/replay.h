#pragma once
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
/// and no era, so that its next holder announces a gap.
class Replay {
 public:
  struct Job {
    JobLog log;
    std::uint32_t restated = 0;  ///< the segment of its last record
  };

  void take(const Entry& entry, const Place& place);

  /// Cuts what lies behind the end of a segment: `ends` tells it of each that has lines.
  template <class Ends>
  void cut(Ends ends) {
    for (auto& [id, job] : live_) {
      auto& runs = job.log.runs;
      for (std::size_t i = 0; i < runs.size(); ++i)
        if (std::uint64_t{runs[i].offset} + runs[i].length > ends(runs[i].segment)) {
          keep(job.log, i);
          break;
        }
    }
  }

  std::unordered_map<JobId, Job>& live() { return live_; }
  const std::unordered_map<JobId, EndedJob>& ended() const { return ended_; }

 private:
  void take_record(const Entry& entry, const Place& place);
  void take_lines(const Entry& entry, const Place& place);
  static void keep(JobLog& log, std::size_t runs);

  std::unordered_map<JobId, Job> live_;
  std::unordered_map<JobId, EndedJob> ended_;
};

}  // namespace millrace::disk
