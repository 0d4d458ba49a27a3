#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "shared/disk/folder.h"
#include "shared/disk/object_label.h"
#include "shared/runtime/sha256.h"

namespace millrace::disk {

class ObjectFolder;

/// An object that is being put: a file no reader looks for until it is kept. One thread at a time.
/// Its file is locked while it lives; whoever finds one that is not may remove it.
class ObjectDraft {
 public:
  ObjectDraft(const ObjectFolder& folder, std::string file_name, File file, ObjectLabel label)
      : folder_(folder),
        file_name_(std::move(file_name)),
        file_(std::move(file)),
        label_(std::move(label)) {}
  /// Removes what was not kept.
  ~ObjectDraft();
  ObjectDraft(const ObjectDraft&) = delete;
  ObjectDraft& operator=(const ObjectDraft&) = delete;

  /// `unavailable`: the disk is full or broken.
  Result<> write(std::string_view piece);
  /// Puts it in its place, durably. `timed_out`: it is there, and may not be after a power loss.
  Result<ObjectInfo> keep(WallTime now);

 private:
  Result<> write_at(std::uint64_t offset, std::string_view bytes) const;

  const ObjectFolder& folder_;
  std::string file_name_;
  File file_;
  ObjectLabel label_;
  Sha256 hash_;
  bool kept_ = false;
};

}  // namespace millrace::disk
