#pragma once
#include <string>

#include "shared/disk/folder.h"
#include "shared/disk/segment_format.h"
#include "shared/disk/segment_writer.h"

namespace millrace::disk {

/// Walks the entries of one segment from its beginning. Ends where the next entry is not whole or
/// not what was written: at the end, or where a crash tore it.
class SegmentScan {
 public:
  SegmentScan(const File& file, std::uint32_t number);

  /// False when the head is no segment's, or another's.
  bool good() const { return good_; }
  /// The head is a segment's that this build cannot read.
  bool of_other_version() const { return of_other_version_; }
  /// The next entry, as views that live until the next call, and where it begins.
  bool next(Entry& entry, Place& place);
  /// Behind the last entry that `next` gave.
  SegmentEnd end() const { return end_; }
  /// The file goes on behind that.
  bool torn() const { return end_.offset < file_bytes_; }

 private:
  bool fill(std::size_t bytes);

  const File& file_;
  SegmentEnd end_;
  std::uint64_t file_bytes_ = 0;
  bool good_ = false;
  bool of_other_version_ = false;
  std::string window_;
  std::uint64_t window_at_ = 0;  ///< offset of the window in the file
  std::string_view whole_;
};

}  // namespace millrace::disk
