#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "shared/disk/folder.h"
#include "shared/disk/object_draft.h"
#include "shared/disk/object_label.h"

namespace millrace::disk {

/// An object that is being read: what is put or removed meanwhile changes nothing of it. One thread
/// at a time.
class OpenObject {
 public:
  OpenObject(File file, ObjectInfo info, ByteRange range);
  const ObjectInfo& info() const { return info_; }
  /// The next piece of the range, empty at its end. `corrupt`: the bytes are not those that were
  /// put, or cannot be read.
  Result<std::string> read();

 private:
  File file_;
  ObjectInfo info_;
  std::uint64_t at_;
  std::uint64_t end_;
  bool whole_;
  Sha256 hash_;
};

/// Objects as files: `<hash of the tenant>/<hash of the key>`, each a label and its bytes, and
/// `drafts/` for those being put. Several processes of one host may have it at once. Every call
/// blocks on the disk and may be made by any thread.
class ObjectFolder {
 public:
  /// Makes it where it is missing, and removes what a process that died was putting. Throws
  /// std::runtime_error with what is wrong when it cannot be used.
  explicit ObjectFolder(std::string path);

  Result<std::shared_ptr<ObjectDraft>> draft(const ObjectName& name,
                                             std::optional<WallTime> expires_at);
  Result<std::shared_ptr<OpenObject>> open(const ObjectName& name, ByteRange range,
                                           WallTime now) const;
  Result<> remove(const ObjectName& name) const;
  /// Looks at every object of the tenant.
  Result<ObjectPage> list(const ObjectFilter& filter, WallTime now) const;
  /// Removes what has expired, and drafts nobody writes any more; says how many objects. Ends
  /// early when `enough` says so.
  std::size_t sweep(WallTime now, const std::function<bool()>& enough) const;

  // --- for drafts
  const File& drafts() const { return drafts_; }
  /// The tenant's folder, made where it is missing, durably.
  File place_of(const std::string& tenant) const;
  static std::string file_name(const std::string& key);

 private:
  void remove_abandoned_drafts() const;
  std::size_t sweep_place(const std::string& place, WallTime now,
                          const std::function<bool()>& enough) const;

  std::string path_;
  File root_;
  File drafts_;
  std::atomic<std::uint64_t> next_draft_ = 0;
  mutable std::mutex mutex_;
  mutable std::set<std::string> durable_places_;
};

}  // namespace millrace::disk
