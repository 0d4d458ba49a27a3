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

/// The Store in a Postgres database, for every loop of a process; any number of processes on any
/// number of hosts share it. One thread with a loop of its own and three connections: one writes
/// (group commit, each batch durable before anybody is answered), one answers `begin` and `find`,
/// one answers `list` and removes what is old. Nothing blocks, and each is replaced when it goes.
///
/// Server away: awaited calls answer `unavailable` at once, or within eight seconds when it stands
/// still; notes wait (bounded). `timed_out`: the answer to a commit did not come.
class PostgresStore {
 public:
  /// How long a batch may take before the server is taken for gone.
  static constexpr Duration patience_default = 5s;

  /// Connects to `database_url` (postgres://…, as libpq reads it) and brings its tables up. Throws
  /// std::runtime_error with a sentence that names the database, without its password, when it
  /// cannot be reached within ten seconds or used.
  /// `prices`: for the cost of answers in conversations.
  PostgresStore(const std::string& database_url, Random& random, ModelPrices prices = {},
                Duration patience = patience_default);
  /// Writes what is queued, unless the server is away, then ends the thread. Every port must have
  /// gone.
  ~PostgresStore();

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
  /// one loop of a process; every process may.
  Task<> remove_old_jobs(Clock& clock, Duration kept);

  std::string id() const;
  bool healthy() const;
  /// Transactions committed, and calls carried by them, since the start.
  struct Written {
    std::uint64_t commits = 0;
    std::uint64_t rows = 0;
  };
  Written written() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

namespace postgres {

/// True for what names a Postgres database.
bool is_url(std::string_view database_url);

/// Brings the database to this build's schema, as PostgresStore does; returns the version that
/// stands. The error is a sentence that names the database.
std::expected<int, std::string> migrate_store(const std::string& database_url, Random& random);

}  // namespace postgres
}  // namespace millrace
