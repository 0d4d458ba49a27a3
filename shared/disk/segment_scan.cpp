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
  const auto named = number_in(head);
  good_ = named == number;
  of_other_version_ = !named && names_other_version(head);
  if (named || of_other_version_) return;
  if (whole_at(file_head_bytes, end_.crc)) {
    damages_.push_back({0, file_head_bytes});
    good_ = true;
  } else {
    good_ = go_on_behind(0, file_head_bytes, end_.crc);
  }
}

/// Makes `whole_` the `bytes` bytes at `offset`.
bool SegmentScan::fill(std::uint64_t offset, std::size_t bytes) {
  if (offset + bytes > file_bytes_) return false;
  if (offset + bytes > window_at_ + window_.size() || offset < window_at_) {
    window_.clear();
    window_at_ = offset;
    const std::uint64_t wanted = std::max<std::uint64_t>(bytes, window_bytes);
    if (!file_.read(window_, window_at_, std::min(wanted, file_bytes_ - window_at_))) return false;
  }
  whole_ = std::string_view(window_).substr(offset - window_at_, bytes);
  return true;
}

/// Makes `whole_` the entry that begins there, if it is one and follows one with that crc.
bool SegmentScan::whole_at(std::uint64_t offset, std::uint32_t crc_before) {
  if (!fill(offset, entry_head_bytes)) return false;
  const auto facts = facts_in(whole_);
  return facts && fill(offset, entry_head_bytes + facts->body()) &&
         crc_over(whole_, crc_before) == facts->crc && entry_in(whole_);
}

bool SegmentScan::next(Entry& entry, Place& place) {
  if (!good_) return false;
  if (!whole_at(end_.offset, end_.crc) && !go_on_behind_damage()) return false;
  entry = *entry_in(whole_);
  place = {.segment = end_.number, .offset = end_.offset};
  end_.offset += static_cast<std::uint32_t>(whole_.size());
  end_.crc = crc_in(whole_);
  return true;
}

std::optional<Damage> SegmentScan::damaged_tail() {
  if (!good_ || !fill(end_.offset, entry_head_bytes)) return std::nullopt;
  const auto facts = facts_in(whole_);
  const bool cut_short = facts && end_.offset + whole_.size() + facts->body() > file_bytes_;
  // A power cut may leave a file longer than what was written to it.
  const bool never_written = whole_.find_first_not_of('\0') == whole_.npos;
  if (cut_short || never_written) return std::nullopt;
  return Damage{end_.offset, file_bytes_};
}

/// Makes `whole_` the next entry behind one that is not.
bool SegmentScan::go_on_behind_damage() {
  if (!fill(end_.offset, entry_head_bytes)) return false;
  return go_on_behind(end_.offset, end_.offset, crc_in(whole_)) && whole_at(end_.offset, end_.crc);
}

/// Looks from byte to byte, from `from` on, for an entry that can be told to be whole: it follows
/// the crc that stands at the damage, or the crc of the entry that seems to be before it.
bool SegmentScan::go_on_behind(std::uint64_t damaged, std::uint64_t from, std::uint32_t crc_there) {
  const auto found = [&](std::uint64_t at, std::uint32_t crc_before) {
    if (!whole_at(at, crc_before)) return false;
    damages_.push_back({damaged, at});
    end_.offset = static_cast<std::uint32_t>(at);
    end_.crc = crc_before;
    return true;
  };
  for (std::uint64_t at = from; fill(at, entry_head_bytes); ++at) {
    const auto facts = facts_in(whole_);
    if (!facts) continue;
    const std::uint64_t behind = at + entry_head_bytes + facts->body();
    if (behind > file_bytes_) continue;
    if (at > damaged && found(at, crc_there)) return true;
    if (found(behind, facts->crc)) return true;
  }
  return false;
}

}  // namespace millrace::disk
