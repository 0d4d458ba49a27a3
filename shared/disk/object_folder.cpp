#include "shared/disk/object_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <vector>

#include "shared/runtime/ids.h"
#include "shared/runtime/log.h"

namespace millrace::disk {
namespace {

constexpr const char* drafts_name = "drafts";
constexpr std::size_t tenant_hash_digits = 32;
/// Names taken by other processes under the same pid (of other containers) are passed over.
constexpr int draft_names_tried_max = 10'000;
constexpr std::size_t durable_places_max = 10'000;  ///< then they are synced once more

std::string place_name(const std::string& tenant) {
  return fingerprint(tenant).substr(0, tenant_hash_digits);
}

File open_folder(int at, const char* name) {
  return File(::openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

/// As a file's name and what stands in it agree; nothing where it is no object.
std::optional<ObjectLabel> label_of(const File& file) {
  std::string bytes;
  if (!file.read(bytes, 0, label_bytes)) return std::nullopt;
  auto label = decode_label(bytes);
  if (label && file.size() != label_bytes + label->info.size) return std::nullopt;
  return label;
}

Failure away(const char* what) {
  const int why = errno;
  log::warn("objects_away", {{"at", what}, {"error", std::strerror(why)}});
  return Failure(refused_write(why));
}

/// Calls `look(name, label)` for every object of a place until it says false.
template <class Look>
bool each_object(const std::string& path, const File& place, Look look) {
  std::error_code failed;
  for (std::filesystem::directory_iterator at(path, failed), end; !failed && at != end;
       at.increment(failed)) {
    const auto name = at->path().filename().string();
    const File file(::openat(place.fd(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file && errno == ENOENT) continue;  // removed meanwhile
    const auto label = file ? label_of(file) : std::nullopt;
    if (!label)
      log::warn("object_unreadable", {{"file", path + "/" + name}});
    else if (!look(name, *label))
      return false;
  }
  return !failed;
}

bool wanted(const ObjectLabel& label, const ObjectFilter& filter, WallTime now) {
  const auto& info = label.info;
  return label.tenant == filter.tenant && info.key.starts_with(filter.prefix) &&
         info.key > filter.after && !info.expired(now);
}

}  // namespace

OpenObject::OpenObject(File file, ObjectInfo info, ByteRange range)
    : file_(std::move(file)),
      info_(std::move(info)),
      at_(std::min(range.from, info_.size)),
      end_(at_ + std::min(range.size, info_.size - at_)),
      whole_(at_ == 0 && end_ == info_.size && range.size > 0) {}

Result<std::string> OpenObject::read() {
  std::string piece;
  const auto size = std::min<std::uint64_t>(end_ - at_, limits::object_piece_bytes_max);
  const auto got = file_.read(piece, label_bytes + at_, size);
  if (!got) return Failure(Errc::corrupt);
  at_ += size;
  if (!whole_) return piece;
  hash_.add(piece);
  // Told with the last piece, so that no reader takes the end for a good one.
  if (at_ == end_ && std::exchange(whole_, false) && hash_.hex() != info_.sha256)
    return Failure(Errc::corrupt);
  return piece;
}

ObjectFolder::ObjectFolder(std::string path) : path_(std::move(path)) {
  std::error_code failed;
  std::filesystem::create_directories(path_ + "/" + drafts_name, failed);
  root_ = open_folder(AT_FDCWD, path_.c_str());
  if (root_) drafts_ = open_folder(root_.fd(), drafts_name);
  if (!drafts_ || ::fsync(root_.fd()) != 0)
    throw std::runtime_error("cannot use the folder of objects " + path_ + ": " +
                             std::strerror(errno));
  remove_abandoned_drafts();
}

std::string ObjectFolder::file_name(const std::string& key) {
  return fingerprint(key);
}

Result<std::shared_ptr<ObjectDraft>> ObjectFolder::draft(const ObjectName& name,
                                                         std::optional<WallTime> expires_at) {
  for (int tried = 0; tried < draft_names_tried_max; ++tried) {
    auto file_name = std::to_string(::getpid()) + "-" + std::to_string(next_draft_++);
    File file(
        ::openat(drafts_.fd(), file_name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file && errno == EEXIST) continue;
    if (!file || ::flock(file.fd(), LOCK_EX | LOCK_NB) != 0) return away("draft");
    ObjectLabel label;
    label.tenant = name.tenant;
    label.info.key = name.key;
    label.info.expires_at = expires_at;
    return std::make_shared<ObjectDraft>(*this, std::move(file_name), std::move(file),
                                         std::move(label));
  }
  return away("draft");
}

File ObjectFolder::place_of(const std::string& tenant) const {
  const auto name = place_name(tenant);
  if (::mkdirat(root_.fd(), name.c_str(), 0700) != 0 && errno != EEXIST) return File();
  File place = open_folder(root_.fd(), name.c_str());
  const std::lock_guard lock(mutex_);
  if (!place || durable_places_.contains(name)) return place;
  if (::fsync(root_.fd()) != 0) return File();
  if (durable_places_.size() >= durable_places_max) durable_places_.clear();
  durable_places_.insert(name);
  return place;
}

Result<std::shared_ptr<OpenObject>> ObjectFolder::open(const ObjectName& name, ByteRange range,
                                                       WallTime now) const {
  const auto path = place_name(name.tenant) + "/" + file_name(name.key);
  File file(::openat(root_.fd(), path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return errno == ENOENT ? Failure(Errc::not_found) : away("open");
  auto label = label_of(file);
  if (!label || label->tenant != name.tenant || label->info.key != name.key) {
    log::warn("object_unreadable", {{"file", path_ + "/" + path}});
    return Failure(Errc::corrupt);
  }
  if (label->info.expired(now)) return Failure(Errc::not_found);
  return std::make_shared<OpenObject>(std::move(file), std::move(label->info), range);
}

Result<> ObjectFolder::remove(const ObjectName& name) const {
  const File place = open_folder(root_.fd(), place_name(name.tenant).c_str());
  if (!place) return errno == ENOENT ? Result<>() : away("remove");
  const bool removed = ::unlinkat(place.fd(), file_name(name.key).c_str(), 0) == 0;
  if (!removed && errno != ENOENT) return away("remove");
  // Also when it was gone: whoever removed it may not have made that durable yet.
  if (::fsync(place.fd()) != 0) return away("remove");
  return {};
}

Result<ObjectPage> ObjectFolder::list(const ObjectFilter& filter, WallTime now) const {
  const auto name = place_name(filter.tenant);
  const File place = open_folder(root_.fd(), name.c_str());
  if (!place) return errno == ENOENT ? Result<ObjectPage>(ObjectPage{}) : away("list");
  const std::size_t limit = std::min(filter.limit, limits::object_list_max);
  ObjectPage page;
  auto& first = page.objects;  // a heap of the first `limit + 1` keys, the last of them on top
  const bool all = each_object(path_ + "/" + name, place, [&](const auto&, const auto& label) {
    if (!wanted(label, filter, now)) return true;
    if (first.size() > limit && label.info.key >= first.front().key) return true;
    first.push_back(label.info);
    std::ranges::push_heap(first, {}, &ObjectInfo::key);
    if (first.size() <= limit + 1) return true;
    std::ranges::pop_heap(first, {}, &ObjectInfo::key);
    first.pop_back();
    return true;
  });
  if (!all) return away("list");
  std::ranges::sort_heap(first, {}, &ObjectInfo::key);
  page.more = first.size() > limit;
  if (page.more) first.pop_back();
  return page;
}

void ObjectFolder::remove_abandoned_drafts() const {
  std::error_code failed;
  const std::string path = path_ + "/" + drafts_name;
  for (std::filesystem::directory_iterator at(path, failed), end; !failed && at != end;
       at.increment(failed)) {
    const auto name = at->path().filename().string();
    const File file(::openat(drafts_.fd(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (file && ::flock(file.fd(), LOCK_EX | LOCK_NB) == 0)
      ::unlinkat(drafts_.fd(), name.c_str(), 0);
  }
}

std::size_t ObjectFolder::sweep(WallTime now, const std::function<bool()>& enough) const {
  remove_abandoned_drafts();
  std::size_t removed = 0;
  std::error_code failed;
  for (std::filesystem::directory_iterator at(path_, failed), end;
       !failed && at != end && !enough(); at.increment(failed)) {
    const auto name = at->path().filename().string();
    if (name != drafts_name) removed += sweep_place(name, now, enough);
  }
  return removed;
}

std::size_t ObjectFolder::sweep_place(const std::string& place_name, WallTime now,
                                      const std::function<bool()>& enough) const {
  const File place = open_folder(root_.fd(), place_name.c_str());
  if (!place) return 0;
  std::size_t removed = 0;
  each_object(path_ + "/" + place_name, place, [&](const auto& name, const auto& seen) {
    if (!seen.info.expired(now)) return !enough();
    // Somebody may have put the same name anew since: look again while nobody can.
    if (::flock(place.fd(), LOCK_EX) != 0) return false;
    const File file(::openat(place.fd(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    const auto label = file ? label_of(file) : std::nullopt;
    if (label && label->info.expired(now) && ::unlinkat(place.fd(), name.c_str(), 0) == 0)
      ++removed;
    ::flock(place.fd(), LOCK_UN);
    return !enough();
  });
  return removed;
}

}  // namespace millrace::disk
