#pragma once
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "shared/disk/folder.h"
#include "shared/disk/job_log.h"

namespace millrace::disk {

/// Reads lines of jobs out of segments. Opens each segment once; lives as long as one call.
class RunReader {
 public:
  explicit RunReader(const Folder& folder, Patience patience = Patience::any)
      : folder_(folder), patience_(patience) {}

  /// The lines of all these runs behind one another, those near each other in one read.
  /// `not_found` where one is not there, `corrupt` where something else lies in its place,
  /// `timed_out` where patience ends.
  Result<std::string> read(std::span<const Run> runs);

 private:
  const File& segment(std::uint32_t number);
  Result<> read_near(std::string& out, std::span<const Run> runs);

  const Folder& folder_;
  Patience patience_;
  std::vector<std::pair<std::uint32_t, File>> open_;
  std::string window_;
};

/// The runs to read for a page of events after `after`, and whether there are more behind them.
struct RunChoice {
  std::vector<Run> runs;
  bool more = false;
};
RunChoice choose_runs(std::span<const Run> runs, Seq after, std::size_t events_max,
                      std::size_t bytes_max);

/// Takes from `lines` those after `after`, at most `events_max`; true when some are left behind.
bool cut_page(std::string& lines, Seq after, std::size_t events_max);

}  // namespace millrace::disk
