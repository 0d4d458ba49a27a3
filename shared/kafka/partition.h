#pragma once
#include <cstdint>
#include <string>

#include "shared/kafka/key_lanes.h"
#include "shared/kafka/offset_tracker.h"

namespace millrace::kafka {

/// One partition of the group's that is, or was, ours.
struct Partition {
  std::string topic;
  std::int32_t number = 0;
  OffsetTracker tracker{0};
  bool positioned = false;        ///< the tracker knows where it begins
  bool owned = true;              ///< we may commit for it
  bool commit_failed = false;     ///< the last commit of it was refused: say it again
  std::int64_t delivered_to = 0;  ///< below: may have been begun by somebody before us
  std::int64_t highest = -1;      ///< handed out by us
  std::int64_t committed_to = 0;  ///< as `delivered_to`, in the last commit
  bool paused = false;
  /// Of a retry tier: how long one copy may wait here at most. Zero: no tier.
  Duration tier_delay{};
};

}  // namespace millrace::kafka
