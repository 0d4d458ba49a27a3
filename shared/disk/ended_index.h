#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <vector>

#include "shared/disk/folder.h"
#include "shared/disk/segment_writer.h"
#include "shared/runtime/ids.h"
#include "shared/runtime/time.h"

namespace millrace::disk {

/// A job that ended: where its last record is, and the oldest segment that its lines lie in.
struct EndedJob {
  JobId id;
  Place record;
  std::uint32_t oldest_segment = 0;
  WallTime ended_at{};
};

/// The jobs that ended in one segment, as a file `<number>.idx` that is mapped and never changes:
/// sorted by a hash of the id, with a table of where each bucket of hashes begins. Looking one up
/// touches two places of it.
class SegmentIndex {
 public:
  ~SegmentIndex();
  SegmentIndex(const SegmentIndex&) = delete;
  SegmentIndex& operator=(const SegmentIndex&) = delete;

  /// The bytes of the index of a segment; every record is in that segment.
  static std::string bytes_of(std::span<const EndedJob> jobs);
  /// Null where there is none or not a whole one.
  static std::unique_ptr<SegmentIndex> open(const Folder& folder, std::uint32_t segment);

  std::optional<EndedJob> find(const JobId& id) const;
  std::uint32_t segment() const { return segment_; }
  /// Of all jobs in it; `segment()` where there are none.
  std::uint32_t oldest_segment() const;
  WallTime newest_end() const;
  std::size_t size() const;

 private:
  struct Head;
  struct Row;

  SegmentIndex(std::uint32_t segment, const char* bytes, std::size_t size)
      : segment_(segment), bytes_(bytes), size_(size) {}
  const Head& head() const;
  bool whole() const;

  std::uint32_t segment_;
  const char* bytes_;
  std::size_t size_;
};

/// The indexes of all sealed segments. Any thread.
class EndedJobs {
 public:
  void add(std::unique_ptr<SegmentIndex> index);
  void remove(std::uint32_t segment);

  /// Its newest end.
  std::optional<EndedJob> find(const JobId& id) const;
  /// Whether the segment has an index here.
  bool has(std::uint32_t segment) const;
  /// The oldest segment that jobs which ended after `since` have lines or records in; `otherwise`
  /// where there are none.
  std::uint32_t oldest_needed(WallTime since, std::uint32_t otherwise) const;
  /// Sealed segments older than `before`, rising.
  std::vector<std::uint32_t> older_than(std::uint32_t before) const;

 private:
  mutable std::shared_mutex mutex_;
  std::map<std::uint32_t, std::unique_ptr<SegmentIndex>, std::greater<>> by_segment_;
};

}  // namespace millrace::disk
