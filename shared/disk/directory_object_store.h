#pragma once
#include <memory>
#include <string>

#include "shared/disk/disk_threads.h"
#include "shared/disk/object_folder.h"
#include "shared/object_store.h"
#include "shared/runtime/clock.h"
#include "shared/runtime/link_signer.h"

namespace millrace {

/// Objects in a folder of this host. One a process, outliving its ports; several processes of one
/// host may use the same folder, and see the same objects. Processes of other hosts may not: a
/// lock of a network's file system may hold nobody off.
///
/// A put costs two syncs of the disk; a list reads the label of every object of its tenant, so it
/// is for upkeep and not for the way of a job.
class DirectoryObjectStore {
 public:
  static constexpr std::size_t threads = 4;
  static constexpr std::size_t waiting_max = 512;
  static_assert(waiting_max * limits::object_piece_bytes_max <= 64 * 1024 * 1024,
                "pieces that wait for the disk stay within bounds");

  /// Links are paths on the edge (object_link.h); `signer` outlives this. Throws
  /// std::runtime_error with what is wrong when the folder cannot be used.
  DirectoryObjectStore(std::string folder, const LinkSigner& signer)
      : folder_(std::move(folder)), signer_(signer) {}

  /// The ObjectStore of one loop.
  std::unique_ptr<ObjectStore> port(Clock& clock);

  /// Removes what has expired, now and every hour, until cancelled. One loop of a process does
  /// this.
  Task<> run(Clock& clock);

 private:
  class Port;

  disk::ObjectFolder folder_;
  const LinkSigner& signer_;
  disk::DiskThreads threads_{threads, waiting_max};
};

}  // namespace millrace
