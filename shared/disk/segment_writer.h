#pragma once
#include <atomic>
#include <mutex>
#include <span>
#include <vector>

#include "shared/disk/folder.h"
#include "shared/disk/segment_format.h"

namespace millrace::disk {

/// Where an entry begins.
struct Place {
  std::uint32_t segment = 0;
  std::uint32_t offset = 0;

  bool operator==(const Place&) const = default;
};

/// Where a segment ends, and what its next entry's crc goes on from.
struct SegmentEnd {
  std::uint32_t number = 0;
  std::uint32_t offset = 0;
  std::uint32_t crc = 0;
};

/// The segment that is being written: one `pwritev` a call, into the page cache. The mutex is held
/// for that one system call. Any thread.
class SegmentWriter {
 public:
  /// Goes on in a segment at its end.
  SegmentWriter(const Folder& folder, File file, SegmentEnd end)
      : folder_(folder), file_(std::move(file)), end_(end) {}

  /// All of them one behind the other, or none: `full` or `unavailable` when the disk refuses,
  /// and what was left behind the end is cut off before anything else is written.
  Result<Place> write(std::span<const Entry> entries);
  Result<Place> write(const Entry& entry) { return write(std::span(&entry, 1)); }

  /// Begins the next segment; the old one, with its last byte written, or none (errno tells why).
  File turn();

  std::uint32_t segment() const;
  std::uint32_t offset() const;
  /// False from a write that was refused until one is taken.
  bool healthy() const { return healthy_.load(std::memory_order_relaxed); }
  /// What was written is durable.
  bool sync() const;

 private:
  Result<Place> write_locked(std::span<const Entry> entries);
  bool cut_left_over();
  void note(bool taken, int why);

  const Folder& folder_;
  mutable std::mutex mutex_;
  File file_;
  SegmentEnd end_;
  bool left_over_ = false;  ///< something of a write that was refused may lie behind the end
  std::atomic<bool> healthy_ = true;
};

/// A segment with its head alone, durable in its folder.
File make_segment(const Folder& folder, std::uint32_t number);
/// Where the entries of a fresh segment begin.
SegmentEnd fresh_end(std::uint32_t number);

}  // namespace millrace::disk
