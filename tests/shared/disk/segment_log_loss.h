#pragma once
#include <string_view>

#include "shared/disk/segment_log.h"

namespace millrace::disk {

/// Takes away what a disk may lose, from under a log that runs.
struct SegmentLogLoss {
  static void lose(SegmentLog& log, const JobId& id) {
    auto& shard = log.shard_of(id);
    const std::lock_guard lock(shard.mutex);
    shard.live.erase(id);
    shard.ended.erase(id);
  }
  /// The last event, which is `line`.
  static void lose_last(SegmentLog& log, const JobId& id, std::string_view line) {
    auto& shard = log.shard_of(id);
    const std::lock_guard lock(shard.mutex);
    JobLog& known = shard.live.at(id).log;
    --known.standing.last;
    Run& run = known.runs.back();
    run.length -= static_cast<std::uint32_t>(line.size());
    if (--run.count == 0) known.runs.pop_back();
  }
  static std::size_t live(SegmentLog& log) {
    std::size_t count = 0;
    for (auto& shard : log.shards_) count += shard.live.size();
    return count;
  }
  /// Ended jobs that are in memory.
  static std::size_t ended(SegmentLog& log) {
    std::size_t count = 0;
    for (auto& shard : log.shards_) count += shard.ended.size();
    return count;
  }
  static std::uint32_t segment(SegmentLog& log) { return log.writer_->segment(); }
};

}  // namespace millrace::disk
