#include "ops/roles/chosen_store.h"

#include "shared/postgres/postgres_store.h"
#include "shared/sqlite/sqlite_store.h"

namespace millrace {
namespace {

template <class Kind>
class StoreOf final : public ChosenStore {
 public:
  StoreOf(const Config& config, Random& random)
      : store_(config.database_url, random, config.model_prices) {}

  std::unique_ptr<Store> port(Clock& clock) override { return store_.port(clock); }
  std::unique_ptr<Sessions> sessions(Clock& clock, Duration timeout) override {
    return store_.sessions(clock, timeout);
  }
  std::unique_ptr<ApiKeys> api_keys(Clock& clock) override { return store_.api_keys(clock); }
  std::unique_ptr<Webhooks> webhooks(Clock& clock) override { return store_.webhooks(clock); }
  Task<> remove_old_sessions(Clock& clock, Duration timeout) override {
    return store_.remove_old_sessions(clock, timeout);
  }
  Task<> remove_old_jobs(Clock& clock, Duration kept) override {
    return store_.remove_old_jobs(clock, kept);
  }
  void export_counts(CountsExport& to) const override {
    to.counter("millrace_store_commits_total", "Transactions committed",
               [this] { return static_cast<double>(store_.written().commits); });
    to.counter("millrace_store_rows_total", "Calls they carried",
               [this] { return static_cast<double>(store_.written().rows); });
  }

 private:
  Kind store_;
};

}  // namespace

std::unique_ptr<ChosenStore> choose_store(const Config& config, Random& random) {
  if (postgres::is_url(config.database_url))
    return std::make_unique<StoreOf<PostgresStore>>(config, random);
  return std::make_unique<StoreOf<SqliteStore>>(config, random);
}

}  // namespace millrace
