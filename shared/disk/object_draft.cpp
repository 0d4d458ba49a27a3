#include "shared/disk/object_draft.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "shared/disk/object_folder.h"
#include "shared/runtime/log.h"

namespace millrace::disk {
namespace {

Failure not_written(const char* what) {
  const int why = errno;
  log::warn("object_not_written", {{"at", what}, {"error", std::strerror(why)}});
  return Failure(refused_write(why));
}

}  // namespace

ObjectDraft::~ObjectDraft() {
  if (!kept_) ::unlinkat(folder_.drafts().fd(), file_name_.c_str(), 0);
}

Result<> ObjectDraft::write(std::string_view piece) {
  hash_.add(piece);
  const auto written = write_at(label_bytes + label_.info.size, piece);
  label_.info.size += piece.size();
  return written;
}

Result<> ObjectDraft::write_at(std::uint64_t offset, std::string_view bytes) const {
  while (!bytes.empty()) {
    const auto written =
        ::pwrite(file_.fd(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return not_written("write");
    offset += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<ObjectInfo> ObjectDraft::keep(WallTime now) {
  label_.info.sha256 = hash_.hex();
  label_.info.created_at = now;
  const auto labelled = write_at(0, encode_label(label_));
  if (!labelled) return Failure(labelled.error());
  if (::fdatasync(file_.fd()) != 0) return not_written("sync");
  const File place = folder_.place_of(label_.tenant);
  // Nobody removes what stands there between a look at it and its removal: see ObjectFolder::sweep.
  if (!place || ::flock(place.fd(), LOCK_EX) != 0) return not_written("place");
  const auto name = ObjectFolder::file_name(label_.info.key);
  if (::renameat(folder_.drafts().fd(), file_name_.c_str(), place.fd(), name.c_str()) != 0)
    return not_written("rename");
  kept_ = true;
  ::flock(place.fd(), LOCK_UN);
  if (::fsync(place.fd()) == 0) return label_.info;
  log::warn("object_not_synced", {{"error", std::strerror(errno)}});
  return Failure(Errc::timed_out);
}

}  // namespace millrace::disk
