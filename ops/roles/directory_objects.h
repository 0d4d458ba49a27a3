#pragma once
#include <atomic>

#include "ops/roles/services.h"
#include "shared/disk/directory_object_store.h"
#include "shared/runtime/config.h"

namespace millrace {

/// The folder `objects` in the data folder. Whoever serves jobs of one queue must see the same:
/// every process of a host, under one `data`.
class DirectoryObjects {
 public:
  /// `signer` outlives this. Throws std::runtime_error with what is wrong when the folder cannot be
  /// used.
  DirectoryObjects(const Config& config, const LinkSigner& signer)
      : objects_(config.data + "/objects", signer) {}

  /// The first of a process also removes what has expired.
  std::unique_ptr<LoopObjects> on(Clock& clock);

 private:
  DirectoryObjectStore objects_;
  std::atomic<bool> looked_after_ = false;
};

}  // namespace millrace
