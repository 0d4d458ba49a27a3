#include "shared/disk/segment_scan.h"

#include <algorithm>

namespace millrace::disk {
namespace {

constexpr std::size_t window_bytes = 1024 * 1024;

}  // namespace

SegmentScan::SegmentScan(const File& file, std::uint32_t number)
    : file_(file), end_(fresh_end(number)), file_bytes_(file.size()) {
  std::string head;
  if (!file_.read(head, 0, file_head_bytes)) return;
  good_ = number_in(head) == number;
  of_other_version_ = !good_ && names_other_version(head);
}

/// Makes `whole_` the next `bytes` bytes.
bool SegmentScan::fill(std::size_t bytes) {
  if (end_.offset + bytes > file_bytes_) return false;
  if (end_.offset + bytes > window_at_ + window_.size() || end_.offset < window_at_) {
    window_.clear();
    window_at_ = end_.offset;
    const std::uint64_t wanted = std::max<std::uint64_t>(bytes, window_bytes);
    if (!file_.read(window_, window_at_, std::min(wanted, file_bytes_ - window_at_))) return false;
  }
  whole_ = std::string_view(window_).substr(end_.offset - window_at_, bytes);
  return true;
}

bool SegmentScan::next(Entry& entry, Place& place) {
  if (!good_ || !fill(entry_head_bytes)) return false;
  const auto facts = facts_in(whole_);
  if (!facts || !fill(entry_head_bytes + facts->body())) return false;
  if (crc_over(whole_, end_.crc) != facts->crc) return false;
  const auto found = entry_in(whole_);
  if (!found) return false;
  entry = *found;
  place = {.segment = end_.number, .offset = end_.offset};
  end_.offset += static_cast<std::uint32_t>(whole_.size());
  end_.crc = facts->crc;
  return true;
}

}  // namespace millrace::disk
