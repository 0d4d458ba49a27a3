#include "shared/sqlite/api_key_table.h"

namespace millrace::sqlite {
namespace {

// Seldom used, so each is prepared when it is; but for what every edge asks every second or so,
// which reads an index.
#define MILLRACE_KEY_COLUMNS \
  "key_hash, tenant, name, scopes, rate, created_at, last_used, revoked_at, version"
constexpr const char* add_sql =
    "INSERT INTO api_keys (key_id, " MILLRACE_KEY_COLUMNS
    ") SELECT ?, ?, ?, ?, ?, ?, ?, NULL, NULL, coalesce(max(version), 0) + 1 FROM api_keys"
    " WHERE true ON CONFLICT (key_id) DO NOTHING";
constexpr const char* find_sql = "SELECT " MILLRACE_KEY_COLUMNS " FROM api_keys WHERE key_id = ?";
constexpr const char* changed_sql =
    "SELECT " MILLRACE_KEY_COLUMNS " FROM api_keys WHERE version > ? ORDER BY version LIMIT ?";
#undef MILLRACE_KEY_COLUMNS
constexpr const char* revoke_sql =
    "UPDATE api_keys SET revoked_at = ?2, version = (SELECT max(version) FROM api_keys) + 1"
    " WHERE key_id = ?1 AND revoked_at IS NULL";
constexpr const char* used_sql =
    "UPDATE api_keys SET last_used = max(coalesce(last_used, 0), ?2) WHERE key_id = ?1";
constexpr const char* count_sql = "SELECT count(*) FROM api_keys";

Result<ApiKey> read_key(const Query& query) {
  const auto hash = KeyHash::parse(query.text(0));
  const auto scopes = Scopes::parse(query.text(3));
  const std::string rate = query.text(4);
  ApiKey key;
  if (!rate.empty()) key.rate = TokenRate::parse(rate);
  if (!hash || !scopes || (!rate.empty() && !key.rate)) return Failure(Errc::corrupt);
  key.id = key_id(*hash);
  key.hash = *hash;
  key.tenant = query.text(1);
  key.name = query.text(2);
  key.scopes = *scopes;
  key.created_at = query.time(5);
  key.last_used = query.time_or_none(6);
  key.revoked_at = query.time_or_none(7);
  key.version = query.number(8);
  return key;
}

}  // namespace

Result<ApiKey> ApiKeyTable::add(const ApiKey& key) {
  const auto count = number(count_sql);
  if (!count) return Failure(count.error());
  if (*count >= api_keys_max) return Failure(Errc::overloaded);
  {
    Statement add(add_sql);
    auto insert = add.on(database_);
    const std::string id = key_id(key.hash);
    const std::string hash = key.hash.str();
    const std::string scopes = key.scopes.str();
    const std::string rate = key.rate ? key.rate->str() : std::string();
    insert.bind(id).bind(hash).bind(key.tenant).bind(key.name).bind(scopes).bind(rate);
    if (const auto made = insert.bind(key.created_at).finish(); !made) return Failure(made.error());
  }
  if (database_.changes() == 0) return Failure(Errc::conflict);
  return find(key_id(key.hash));
}

Result<ApiKey> ApiKeyTable::revoke(const std::string& id, WallTime now) {
  Statement revoke(revoke_sql);
  if (const auto done = revoke.on(database_).bind(id).bind(now).finish(); !done)
    return Failure(done.error());
  return find(id);
}

Result<std::vector<ApiKey>> ApiKeyTable::changed_since(std::int64_t version, std::uint32_t limit) {
  Statement changed(changed_sql);
  auto query = changed.on(database_);
  query.bind(version).bind(limit);
  return all_of<ApiKey>(query, read_key);
}

Result<> ApiKeyTable::note_used(const std::string& id, WallTime when) {
  Statement used(used_sql);
  return used.on(database_).bind(id).bind(when).finish();
}

Result<ApiKey> ApiKeyTable::find(const std::string& id) {
  Statement find(find_sql);
  auto query = find.on(database_);
  const auto row = query.bind(id).step();
  if (!row) return Failure(row.error());
  if (!*row) return Failure(Errc::not_found);
  return read_key(query);
}

Result<std::int64_t> ApiKeyTable::number(const char* sql) {
  Statement statement(sql);
  auto query = statement.on(database_);
  const auto row = query.step();
  if (!row) return Failure(row.error());
  return *row ? query.number(0) : 0;
}

}  // namespace millrace::sqlite
