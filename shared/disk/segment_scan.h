#pragma once
#include <optional>
#include <string>
#include <vector>

#include "shared/disk/damage.h"
#include "shared/disk/folder.h"
#include "shared/disk/segment_format.h"
#include "shared/disk/segment_writer.h"

namespace millrace::disk {

/// Walks the entries of one segment from its beginning. Ends where the next entry is not whole or
/// not what was written, and nothing whole follows it: at the end, or where a crash tore it.
///
/// **Damage.** Where entries follow that are whole the walk goes on with them. They are found by
/// their crc, which goes on from the one that stands in the entry before: the first entry behind
/// bytes that tell nothing is left out with them, for only its successor can be checked.
class SegmentScan {
 public:
  SegmentScan(const File& file, std::uint32_t number);

  /// False when the head is no segment's, or another's. A head is told by its entries where it
  /// alone is damaged.
  bool good() const { return good_; }
  /// The head is a segment's that this build cannot read.
  bool of_other_version() const { return of_other_version_; }
  /// The next entry, as views that live until the next call, and where it begins.
  bool next(Entry& entry, Place& place);
  /// Behind the last entry that `next` gave.
  SegmentEnd end() const { return end_; }
  /// What was left out so far.
  const std::vector<Damage>& damages() const { return damages_; }
  /// At the end of the walk: what lies behind it, where that is no entry a crash cut short. A write
  /// that was cut short has a head that is whole, and too few bytes behind it.
  std::optional<Damage> damaged_tail();
  /// The file goes on behind that.
  bool torn() const { return end_.offset < file_bytes_; }

 private:
  bool fill(std::uint64_t offset, std::size_t bytes);
  bool whole_at(std::uint64_t offset, std::uint32_t crc_before);
  bool go_on_behind(std::uint64_t damaged, std::uint64_t from, std::uint32_t crc_there);
  bool go_on_behind_damage();

  const File& file_;
  SegmentEnd end_;
  std::uint64_t file_bytes_ = 0;
  bool good_ = false;
  bool of_other_version_ = false;
  std::vector<Damage> damages_;
  std::string window_;
  std::uint64_t window_at_ = 0;  ///< offset of the window in the file
  std::string_view whole_;
};

}  // namespace millrace::disk
