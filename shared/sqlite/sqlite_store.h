#pragma once
#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "shared/api_keys.h"
#include "shared/runtime/clock.h"
#include "shared/runtime/model_prices.h"
#include "shared/runtime/random.h"
#include "shared/sessions.h"
#include "shared/store.h"
#include "shared/webhooks.h"

namespace millrace {

namespace sqlite {
class WriteThread;
class ReplyRouter;
}  // namespace sqlite

/// The Store in one SQLite file, for every loop of a process; edge and worker of one host share
/// the file, each with an object of its own. Three threads: one writes (group commit, each batch
/// synced before anybody is answered), one answers `begin` and `find`, one answers `list`.
///
/// A full or broken disk, or a lock held for 5 s: awaited calls answer `unavailable`, notes wait
/// (bounded), and writing is tried again each second. `corrupt`: the file has to be restored.
class SqliteStore {
 public:
  /// Opens or makes the file `database_url` names (see database_url.h) with its folder, and
  /// migrates it. Throws std::runtime_error with a sentence that names the file when it is
  /// damaged, not SQLite, or cannot be opened or written.
  /// `prices`: for the cost of answers in conversations.
  SqliteStore(const std::string& database_url, Random& random, ModelPrices prices = {});
  /// Writes what is queued, then ends its threads. Every port must have gone.
  ~SqliteStore();

  /// The Store of one loop; it belongs to that loop, and the clock must outlive it.
  std::unique_ptr<Store> port(Clock& clock);

  /// The API keys, as one loop reaches them; as with `port`.
  std::unique_ptr<ApiKeys> api_keys(Clock& clock);
  /// The conversations, as one loop reaches them; as with `port`.
  std::unique_ptr<Sessions> sessions(Clock& clock, Duration timeout);
  /// Removes sessions that were not accessed for `timeout`, with their messages, until cancelled.
  Task<> remove_old_sessions(Clock& clock, Duration timeout);

  /// The outbox of webhooks, as one loop reaches it; as with `port`.
  std::unique_ptr<Webhooks> webhooks(Clock& clock);

  /// Removes jobs that ended more than `kept` ago, with all that is theirs, until cancelled. For
  /// one loop of a process; several processes on one file may.
  Task<> remove_old_jobs(Clock& clock, Duration kept);

  std::string id() const;
  bool healthy() const;
  /// Transactions committed, and calls carried by them, since the start.
  struct Written {
    std::uint64_t commits = 0;
    std::uint64_t rows = 0;
  };
  Written written() const;

  /// What a queue in the same file shares with the store, so that one commit takes both.
  struct Shared {
    const std::string& path;
    sqlite::WriteThread& writes;
    sqlite::ReplyRouter& replies;
  };
  /// From here on a job is noted in the commit that queues it: `note_accepted` only adds the
  /// fingerprint, where there is one.
  Shared share_with_queue();

 private:
  class State;
  std::unique_ptr<State> state_;
};

/// Brings the file to this build's schema, as SqliteStore does; returns the version that stands.
/// The error is a sentence that names the file.
std::expected<int, std::string> migrate_store(const std::string& database_url, Random& random);

}  // namespace millrace
