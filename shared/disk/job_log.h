#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/contract/event.h"
#include "shared/contract/job.h"
#include "shared/contract/state.h"

namespace millrace::disk {

/// Where some lines of a job lie: `count` events from number `first` on, one by one.
struct Run {
  std::uint32_t segment = 0;
  std::uint32_t offset = 0;  ///< of the first line in its file
  std::uint32_t length = 0;
  std::uint32_t count = 0;
  Seq first = 0;

  Seq last() const { return first + count - 1; }
  bool operator==(const Run&) const = default;
};

/// What a job was when it was accepted.
struct Identity {
  std::string tenant;
  std::string session;
  std::string kind;
  std::string fingerprint;
  WallTime created_at{};
  WallTime deadline{};
};

/// Where a job stands: what `accept`, `begin`, `append` and `cancel` change.
struct Standing {
  JobState state = JobState::queued;
  bool acknowledged = false;
  bool cancel_wanted = false;
  Token token;  ///< of the lease; zero: nobody's
  Token by;     ///< who wrote or began last
  std::uint32_t errors = 0;
  std::uint32_t lost_runs = 0;
  std::uint32_t attempt = 0;
  Seq last = 0;
  Seq gap_at = 0;  ///< while `last` is this, the events from `gap_from` to it do not exist
  Seq gap_from = 0;
  /// The era of the log (see SegmentLog) that this job was accepted or begun in; 0 is none.
  std::uint64_t era = 0;
  WallTime ended_at{};

  bool held() const { return token != Token{}; }
};

/// All that the log knows of a job but the lines themselves.
struct JobLog {
  Identity identity;
  Standing standing;
  std::vector<Run> runs;  ///< rising
};

/// The oldest segment that any of these is in; `otherwise` where there are none.
std::uint32_t oldest_segment(const std::vector<Run>& runs, std::uint32_t otherwise);

/// The bytes of a whole record, and of its standing alone. Little-endian.
void encode(std::string& out, const Identity& identity, const Standing& standing,
            const std::vector<Run>& runs);
void encode(std::string& out, const Standing& standing);

/// Nothing when these are no such bytes.
std::optional<JobLog> decode_record(std::string_view bytes);
std::optional<Standing> decode_standing(std::string_view bytes);

}  // namespace millrace::disk
