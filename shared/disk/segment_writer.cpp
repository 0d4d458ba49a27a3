#include "shared/disk/segment_writer.h"

#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>

#include "shared/runtime/log.h"

namespace millrace::disk {
namespace {

/// More than any rotation leaves in a segment; an offset has 32 bits.
constexpr std::uint64_t segment_bytes_max = std::uint64_t{3} << 30;

constexpr std::size_t pieces_max = 3 * 64;

/// Everything at `offset`, or an errno.
int write_at(int fd, std::span<iovec> pieces, std::uint64_t offset) {
  while (!pieces.empty()) {
    const auto written =
        ::pwritev(fd, pieces.data(), static_cast<int>(pieces.size()), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    if (written == 0) return EIO;
    offset += static_cast<std::uint64_t>(written);
    auto left = static_cast<std::size_t>(written);
    while (!pieces.empty() && left >= pieces.front().iov_len) {
      left -= pieces.front().iov_len;
      pieces = pieces.subspan(1);
    }
    if (left > 0) {
      pieces.front().iov_base = static_cast<char*>(pieces.front().iov_base) + left;
      pieces.front().iov_len -= left;
    }
  }
  return 0;
}

iovec piece(std::string_view bytes) {
  return {.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
}

}  // namespace

Result<Place> SegmentWriter::write(std::span<const Entry> entries) {
  const std::lock_guard lock(mutex_);
  return write_locked(entries);
}

Result<Place> SegmentWriter::write_locked(std::span<const Entry> entries) {
  std::array<EntryHead, pieces_max / 3> heads;
  std::array<iovec, pieces_max> pieces;
  std::size_t used = 0;
  std::uint64_t bytes = 0;
  std::uint32_t crc = end_.crc;
  if (entries.size() > heads.size()) return Failure(Errc::invalid);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    heads[i] = entry_head(entry, crc);
    pieces[used++] = piece({heads[i].data(), heads[i].size()});
    if (!entry.meta.empty()) pieces[used++] = piece(entry.meta);
    if (!entry.lines.empty()) pieces[used++] = piece(entry.lines);
    bytes += size_of(entry);
  }
  const int why = end_.offset + bytes > segment_bytes_max ? EFBIG
                  : !cut_left_over()
                      ? errno
                      : write_at(file_.fd(), std::span(pieces).first(used), end_.offset);
  note(why == 0, why);
  left_over_ = left_over_ || why != 0;
  (void)cut_left_over();
  if (why != 0) return Failure(refused_write(why));
  const Place place{.segment = end_.number, .offset = end_.offset};
  end_.offset += static_cast<std::uint32_t>(bytes);
  end_.crc = crc;
  return place;
}

/// What lies whole behind the end would be taken for entries behind a damage.
bool SegmentWriter::cut_left_over() {
  if (!left_over_) return true;
  if (::ftruncate(file_.fd(), end_.offset) != 0) return false;
  left_over_ = false;
  return true;
}

void SegmentWriter::note(bool taken, int why) {
  if (healthy_.load(std::memory_order_relaxed) == taken) return;
  healthy_.store(taken, std::memory_order_relaxed);
  if (taken)
    log::info("events_written_again", {{"folder", folder_.path()}});
  else
    log::error("events_not_written",
               {{"folder", folder_.path()},
                {"why", std::strerror(why)},
                {"remedy", "make room on its disk; jobs are refused meanwhile"}});
}

File SegmentWriter::turn() {
  const SegmentEnd next = fresh_end(segment() + 1);
  File fresh = make_segment(folder_, next.number);
  if (!fresh) return fresh;
  const std::lock_guard lock(mutex_);
  (void)cut_left_over();
  left_over_ = false;
  std::swap(file_, fresh);
  end_ = next;
  return fresh;
}

std::uint32_t SegmentWriter::segment() const {
  const std::lock_guard lock(mutex_);
  return end_.number;
}

std::uint32_t SegmentWriter::offset() const {
  const std::lock_guard lock(mutex_);
  return end_.offset;
}

bool SegmentWriter::sync() const {
  return ::fdatasync(file_.fd()) == 0;
}

File make_segment(const Folder& folder, std::uint32_t number) {
  const std::string name = Folder::segment_name(number);
  folder.remove(name);  // one that could not be finished
  File file = folder.create(name);
  if (!file) return file;
  FileHead head = file_head(number);
  iovec all = piece({head.data(), head.size()});
  int why = write_at(file.fd(), std::span(&all, 1), 0);
  if (why == 0) {
    if (folder.sync()) return file;
    why = errno;
  }
  folder.remove(name);
  errno = why;
  return {};
}

SegmentEnd fresh_end(std::uint32_t number) {
  return {.number = number,
          .offset = static_cast<std::uint32_t>(file_head_bytes),
          .crc = crc_of(file_head(number))};
}

}  // namespace millrace::disk
