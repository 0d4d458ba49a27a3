#include "shared/postgres/postgres_store.h"

#include <stdexcept>
#include <thread>

#include "shared/postgres/desks.h"
#include "shared/postgres/migrations.h"
#include "shared/postgres/own_loop.h"
#include "shared/runtime/config_value.h"
#include "shared/runtime/limits.h"
#include "shared/store_port/api_keys_port.h"
#include "shared/store_port/removal.h"
#include "shared/store_port/sessions_port.h"
#include "shared/store_port/store_port.h"
#include "shared/store_port/webhooks_port.h"

namespace millrace {
namespace {

using postgres::Caller;
using postgres::Desk;
using postgres::Tables;

static_assert(PostgresStore::patience_default + 3s < limits::store_timeout,
              "a caller hears of a server that stands still before its own time is up");
/// One over a rare state scans a tenant's jobs.
constexpr Duration list_patience = 8s;
constexpr std::int64_t sessions_a_batch_max = 64;

std::string brought_up(const std::string& url, Random& random) {
  auto standing = postgres::migrate(url, random);
  if (!standing) throw std::runtime_error(standing.error());
  return standing->id;
}

}  // namespace

class PostgresStore::State {
 public:
  State(const std::string& url, Random& random, ModelPrices model_prices, Duration patience)
      : id(brought_up(url, random)),
        prices(std::move(model_prices)),
        writer(loop.clock(), own_random, {url, patience, "writing"}),
        reads(loop.clock(), own_random, {url, patience, "reading"}),
        lists(loop.clock(), own_random, {url, list_patience, "lists"}),
        thread([this] { loop.run(live()); }) {}
  ~State() {
    asio::post(loop.io(), [this] { writer.finish(); });
    thread.join();
  }

  postgres::Desks::Parts desks() { return {.writer = writer, .reads = reads, .lists = lists}; }

  const std::string id;
  const ModelPrices prices;
  postgres::OwnLoop loop;
  SystemRandom own_random;
  postgres::Writer writer;
  postgres::Reader reads;
  postgres::Reader lists;

 private:
  Task<> live() {
    Nursery nursery(loop.clock());
    nursery.start(reads.run());
    nursery.start(lists.run());
    co_await writer.run();
    nursery.stop();
    co_await nursery.join();
  }

  std::thread thread;
};

PostgresStore::PostgresStore(const std::string& database_url, Random& random, ModelPrices prices,
                             Duration patience)
    : state_(std::make_unique<State>(database_url, random, std::move(prices), patience)) {}

PostgresStore::~PostgresStore() = default;

std::unique_ptr<Store> PostgresStore::port(Clock& clock) {
  return std::make_unique<StorePort<postgres::Desks>>(clock, state_->prices, state_->desks(),
                                                      state_->id);
}

std::unique_ptr<Webhooks> PostgresStore::webhooks(Clock& clock) {
  return std::make_unique<WebhooksPort<postgres::Desks>>(clock, state_->desks());
}

Task<> PostgresStore::remove_old_jobs(Clock& clock, Duration kept) {
  Caller caller(clock);
  Desk& desk = state_->lists.desk();
  co_await remove_in_batches(
      clock,
      {.kept = kept,
       .batch_max = postgres::OldJobs::batch_max,
       .removed = "jobs_removed",
       .failed = "old_jobs_not_removed"},
      [&caller, &desk](WallTime before) {
        return caller.ask<std::int64_t>(
            desk, {}, 0, [before](Tables& tables) { return tables.old_jobs.remove(before); });
      });
}

std::unique_ptr<ApiKeys> PostgresStore::api_keys(Clock& clock) {
  return std::make_unique<ApiKeysPort<postgres::Desks>>(clock, state_->desks());
}

std::unique_ptr<Sessions> PostgresStore::sessions(Clock& clock, Duration timeout) {
  return std::make_unique<SessionsPort<postgres::Desks>>(clock, state_->desks(), timeout);
}

Task<> PostgresStore::remove_old_sessions(Clock& clock, Duration timeout) {
  Caller caller(clock);
  Desk& desk = state_->lists.desk();
  co_await remove_in_batches(
      clock,
      {.kept = timeout,
       .batch_max = sessions_a_batch_max,
       .removed = "sessions_removed",
       .failed = "old_sessions_not_removed"},
      [&caller, &desk](WallTime before) {
        return caller.ask<std::int64_t>(desk, {}, 0, [before](Tables& tables) {
          return tables.sessions.remove_expired(before, sessions_a_batch_max);
        });
      });
}

std::string PostgresStore::id() const {
  return state_->id;
}
bool PostgresStore::healthy() const {
  return state_->writer.healthy() && state_->reads.healthy();
}
PostgresStore::Written PostgresStore::written() const {
  return {.commits = state_->writer.commits(), .rows = state_->writer.rows()};
}

bool postgres::is_url(std::string_view database_url) {
  return config_value::postgres_url(database_url);
}

std::expected<int, std::string> postgres::migrate_store(const std::string& database_url,
                                                        Random& random) {
  const auto standing = migrate(database_url, random);
  if (!standing) return std::unexpected(standing.error());
  return standing->version;
}

}  // namespace millrace
