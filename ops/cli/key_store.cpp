#include "ops/cli/key_store.h"

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <filesystem>
#include <optional>

#include "shared/postgres/postgres_store.h"
#include "shared/sqlite/sqlite_store.h"

namespace millrace::cli {

/// The one of the two that is named.
class KeyStore::Opened {
 public:
  Opened(const std::string& url, Random& random) {
    if (postgres::is_url(url))
      postgres_.emplace(url, random);
    else
      sqlite_.emplace(url, random);
  }
  std::unique_ptr<ApiKeys> keys(Clock& clock) {
    return postgres_ ? postgres_->api_keys(clock) : sqlite_->api_keys(clock);
  }

 private:
  std::optional<SqliteStore> sqlite_;
  std::optional<PostgresStore> postgres_;
};

KeyStore::KeyStore(const Config& config, Missing missing) {
  const std::string& url = config.database_url;
  std::error_code unknown;
  const bool there = postgres::is_url(url) || std::filesystem::exists(url, unknown);
  if (!there && missing == Missing::is_empty) return;
  store_ = std::make_unique<Opened>(url, loop_.random);
  keys_ = store_->keys(loop_.clock);
}

KeyStore::~KeyStore() = default;

template <class T>
T KeyStore::get(Task<T> task) {
  std::optional<T> answer;
  std::exception_ptr failure;
  asio::co_spawn(loop_.io, std::move(task), [&](std::exception_ptr thrown, T said) {
    failure = thrown;
    answer = std::move(said);
    loop_.io.stop();  // the deadline that was met is still set
  });
  loop_.io.restart();
  loop_.io.run();
  if (failure) std::rethrow_exception(failure);
  return std::move(*answer);
}

Result<ApiKey> KeyStore::add(ApiKey key) {
  return get(keys_->add(std::move(key)));
}

Result<ApiKey> KeyStore::revoke(const std::string& id) {
  if (!keys_) return Failure(Errc::not_found);
  return get(keys_->revoke(id, now()));
}

Result<std::vector<ApiKey>> KeyStore::all() {
  constexpr std::uint32_t page = 1000;
  std::vector<ApiKey> all;
  for (bool more = keys_ != nullptr; more;) {
    auto keys = get(keys_->changed_since(all.empty() ? 0 : all.back().version, page));
    if (!keys) return keys;
    more = keys->size() == page;
    all.insert(all.end(), std::make_move_iterator(keys->begin()),
               std::make_move_iterator(keys->end()));
  }
  return all;
}

}  // namespace millrace::cli
