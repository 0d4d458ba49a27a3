#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "shared/runtime/time.h"

namespace millrace {

/// What an embedded millrace keeps, and where.
struct KeptAt {
  std::string data;      ///< the data folder
  std::string database;  ///< the file of store and queue, in it or elsewhere
};

/// Hears what is being done, for a person who waits.
using TellProgress = std::function<void(std::string_view)>;

struct BackedUp {
  std::uint64_t bytes = 0;  ///< of the archive
  std::uint64_t segments = 0;
  std::uint64_t objects = 0;
};

/// Writes one archive of all that a millrace keeps, while it serves or not, and nobody waits for
/// it. The file is there whole and synced, or not at all, and is the owner's alone: prompts,
/// answers and the secret are in it.
///
/// What is consistent with what: **the database is one moment T of store and queue together**; a
/// job answered 202 before the backup began is in it, and stands there as it stood at T, with its
/// result if it had ended. **Events are copied before T**, each job's from its beginning up to some
/// moment: never further than the database, so no event tells of what the store does not know.
/// What is missing behind that is, after a restore, what a crash of the machine leaves: a `gap`,
/// or the end by the store. **Objects are copied after T**, so each one that a job in the database
/// names is there; one that nobody names any more goes when its time is up. What belongs to one
/// run is left out: the lock, the era of the events (README.md of shared/disk), their indexes,
/// drafts.
///
/// What a job did after T is not known to the copy: one that ended after T runs again there.
///
/// Throws std::runtime_error with what is wrong: the store is not there or damaged, the file is
/// there already, or cannot be written. Besides the archive, room for a copy of the database is
/// needed beside it.
BackedUp back_up(const KeptAt& kept, const std::string& file, WallTime now,
                 const TellProgress& tell);

struct Restored {
  std::string made_at;  ///< RFC 3339
  std::uint64_t files = 0;
};

/// Makes a data folder of such an archive. The folder must be empty or not there, the database's
/// file too; both are held meanwhile. Every byte is compared with the sums of the archive before
/// anything is put in place, and all is synced; where that is cut off, no millrace starts on the
/// folder.
///
/// Throws std::runtime_error with what is wrong; then nothing is left behind.
Restored restore(const std::string& file, const KeptAt& into, const TellProgress& tell);

}  // namespace millrace
