#include "shared/sqlite/sqlite_store.h"

#include <atomic>
#include <filesystem>
#include <stdexcept>

#include "shared/sqlite/database_url.h"
#include "shared/sqlite/desks.h"
#include "shared/sqlite/migrations.h"
#include "shared/sqlite/threads.h"
#include "shared/store_port/api_keys_port.h"
#include "shared/store_port/removal.h"
#include "shared/store_port/sessions_port.h"
#include "shared/store_port/store_port.h"
#include "shared/store_port/webhooks_port.h"

namespace millrace {
namespace {

// Up to this size every page is looked at before the first job is taken: 0.1 s. Beyond it damage
// is found when it is met.
constexpr std::uintmax_t checked_bytes_max = 64 * 1024 * 1024;

// Expired sessions go in the commits of others, who should not feel it.
constexpr std::int64_t sessions_a_batch_max = 32;

struct Opened {
  std::string path;
  std::string id;
  int version;
};

std::unexpected<std::string> damaged(const std::string& path, const std::string& words) {
  return std::unexpected("the store " + path + " is damaged; restore it from a backup" +
                         (words.empty() ? "" : " (" + words + ")"));
}

std::expected<void, std::string> make_folder(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  std::error_code failed;
  if (!folder.empty()) std::filesystem::create_directories(folder, failed);
  if (failed)
    return std::unexpected("the folder of the store " + path +
                           " cannot be made: " + failed.message());
  return {};
}

std::expected<Opened, std::string> open_and_migrate(const std::string& url, Random& random) {
  const auto path = sqlite_path(url);
  if (!path) return std::unexpected(path.error());
  if (const auto made = make_folder(*path); !made) return std::unexpected(made.error());
  std::error_code none_yet;
  const auto bytes = std::filesystem::file_size(*path, none_yet);
  auto database = sqlite::Database::open(*path, sqlite::Database::Mode::write);
  if (!database) return std::unexpected(database.error().words);
  sqlite::JobTable table(*database);
  if (!none_yet && bytes <= checked_bytes_max && !table.check())
    return damaged(*path, database->last_failure());
  const auto version = sqlite::apply_migrations(*database, random);
  if (!version) return std::unexpected(version.error());
  auto id = table.store_id();
  if (!id) return damaged(*path, database->last_failure());
  return Opened{.path = *path, .id = std::move(*id), .version = *version};
}

Opened open_or_throw(const std::string& url, Random& random) {
  auto opened = open_and_migrate(url, random);
  if (!opened) throw std::runtime_error(opened.error());
  return std::move(*opened);
}

}  // namespace

class SqliteStore::State {
 public:
  State(Opened opened, ModelPrices model_prices)
      : path(std::move(opened.path)),
        id(std::move(opened.id)),
        prices(std::move(model_prices)),
        writes(path, replies),
        reads(path, replies),
        lists(path, replies) {}

  sqlite::Desks::Parts desks() {
    return {.replies = replies,
            .writes = writes,
            .reads = reads.queue(),
            .lists = lists.queue(),
            .queue_notes = queue_notes};
  }

  const std::string path;
  const std::string id;
  const ModelPrices prices;
  std::atomic<bool> queue_notes = false;
  sqlite::ReplyRouter replies;
  sqlite::WriteThread writes;
  sqlite::ReadThread reads;
  sqlite::ReadThread lists;
};

SqliteStore::SqliteStore(const std::string& database_url, Random& random, ModelPrices prices)
    : state_(std::make_unique<State>(open_or_throw(database_url, random), std::move(prices))) {}

SqliteStore::~SqliteStore() = default;

std::unique_ptr<Store> SqliteStore::port(Clock& clock) {
  return std::make_unique<StorePort<sqlite::Desks>>(clock, state_->prices, state_->desks(),
                                                    state_->id);
}

std::unique_ptr<Webhooks> SqliteStore::webhooks(Clock& clock) {
  return std::make_unique<WebhooksPort<sqlite::Desks>>(clock, state_->desks());
}

Task<> SqliteStore::remove_old_jobs(Clock& clock, Duration kept) {
  return sqlite::remove_old_jobs(clock, state_->replies, state_->writes.queue(), kept);
}

std::unique_ptr<ApiKeys> SqliteStore::api_keys(Clock& clock) {
  return std::make_unique<ApiKeysPort<sqlite::Desks>>(clock, state_->desks());
}

std::unique_ptr<Sessions> SqliteStore::sessions(Clock& clock, Duration timeout) {
  return std::make_unique<SessionsPort<sqlite::Desks>>(clock, state_->desks(), timeout);
}

Task<> SqliteStore::remove_old_sessions(Clock& clock, Duration timeout) {
  sqlite::Caller caller(clock, state_->replies);
  sqlite::CallQueue& writes = state_->writes.queue();
  co_await remove_in_batches(
      clock,
      {.kept = timeout,
       .batch_max = sessions_a_batch_max,
       .removed = "sessions_removed",
       .failed = "old_sessions_not_removed"},
      [&caller, &writes](WallTime before) {
        return caller.ask<std::int64_t>(writes, 0, [before](sqlite::Tables& tables) {
          return tables.sessions.remove_expired(before, sessions_a_batch_max);
        });
      });
}

std::string SqliteStore::id() const {
  return state_->id;
}
bool SqliteStore::healthy() const {
  return state_->writes.healthy();
}

SqliteStore::Written SqliteStore::written() const {
  return {.commits = state_->writes.commits(), .rows = state_->writes.rows()};
}

SqliteStore::Shared SqliteStore::share_with_queue() {
  state_->queue_notes = true;
  return {.path = state_->path, .writes = state_->writes, .replies = state_->replies};
}

std::expected<int, std::string> migrate_store(const std::string& database_url, Random& random) {
  const auto opened = open_and_migrate(database_url, random);
  if (!opened) return std::unexpected(opened.error());
  return opened->version;
}

}  // namespace millrace
