#include "shared/postgres/api_key_table.h"

namespace millrace::postgres {
namespace {

#define MILLRACE_KEY_COLUMNS \
  "key_hash, tenant, name, scopes, rate, created_at, last_used, revoked_at, version"
/// Held until the commit: versions rise in the order in which others come to see them.
constexpr Statement hold_sql{"SELECT pg_advisory_xact_lock(hashtext('millrace api_keys'))"};
constexpr Statement count_sql{"SELECT count(*) FROM api_keys"};
constexpr Statement add_sql{"INSERT INTO api_keys (key_id, " MILLRACE_KEY_COLUMNS
                            ") SELECT $1, $2, $3, $4, $5, $6, $7::bigint, NULL::bigint, "
                            "NULL::bigint, coalesce(max(version), 0) + 1"
                            " FROM api_keys ON CONFLICT (key_id) DO NOTHING"};
constexpr Statement find_sql{"SELECT " MILLRACE_KEY_COLUMNS " FROM api_keys WHERE key_id = $1"};
constexpr Statement changed_sql{"SELECT " MILLRACE_KEY_COLUMNS
                                " FROM api_keys WHERE version > $1 ORDER BY version LIMIT $2"};
#undef MILLRACE_KEY_COLUMNS
constexpr Statement revoke_sql{
    "UPDATE api_keys SET revoked_at = $2, version = (SELECT max(version) FROM api_keys) + 1"
    " WHERE key_id = $1 AND revoked_at IS NULL"};
constexpr Statement used_sql{
    "UPDATE api_keys SET last_used = greatest(last_used, $2) WHERE key_id = $1"};

Result<ApiKey> read_key(const Rows& rows, std::size_t row) {
  const auto hash = KeyHash::parse(rows.text(row, 0));
  const auto scopes = Scopes::parse(rows.text(row, 3));
  const std::string rate = rows.text(row, 4);
  ApiKey key;
  if (!rate.empty()) key.rate = TokenRate::parse(rate);
  if (!hash || !scopes || (!rate.empty() && !key.rate)) return Failure(Errc::corrupt);
  key.id = key_id(*hash);
  key.hash = *hash;
  key.tenant = rows.text(row, 1);
  key.name = rows.text(row, 2);
  key.scopes = *scopes;
  key.created_at = rows.time(row, 5);
  key.last_used = rows.time_or_none(row, 6);
  key.revoked_at = rows.time_or_none(row, 7);
  key.version = rows.number(row, 8);
  return key;
}

}  // namespace

Task<Result<>> ApiKeyTable::hold_versions() {
  const auto held = co_await connection_.run(hold_sql, Params());
  if (!held) co_return Failure(held.error());
  co_return Result<>();
}

Task<Result<ApiKey>> ApiKeyTable::add(const ApiKey& key) {
  const auto held = co_await hold_versions();
  if (!held) co_return Failure(held.error());
  const auto count = co_await connection_.run(count_sql, Params());
  if (!count) co_return Failure(count.error());
  if (count->number(0, 0) >= api_keys_max) co_return Failure(Errc::overloaded);
  Params params;
  params.add(key_id(key.hash)).add(key.hash.str()).add(key.tenant).add(key.name);
  params.add(key.scopes.str()).add(key.rate ? key.rate->str() : std::string());
  const auto made = co_await connection_.run(add_sql, params.add(key.created_at));
  if (!made) co_return Failure(made.error());
  if (made->changes() == 0) co_return Failure(Errc::conflict);
  co_return co_await find(key_id(key.hash));
}

Task<Result<ApiKey>> ApiKeyTable::revoke(const std::string& id, WallTime now) {
  const auto held = co_await hold_versions();
  if (!held) co_return Failure(held.error());
  const auto done = co_await connection_.run(revoke_sql, Params().add(id).add(now));
  if (!done) co_return Failure(done.error());
  co_return co_await find(id);
}

Task<Result<std::vector<ApiKey>>> ApiKeyTable::changed_since(std::int64_t version,
                                                             std::uint32_t limit) {
  const auto rows =
      co_await connection_.run(changed_sql, Params().add(version).add(std::int64_t{limit}));
  if (!rows) co_return Failure(rows.error());
  co_return all_of<ApiKey>(*rows, read_key);
}

Task<Result<>> ApiKeyTable::note_used(const std::string& id, WallTime when) {
  const auto done = co_await connection_.run(used_sql, Params().add(id).add(when));
  if (!done) co_return Failure(done.error());
  co_return Result<>();
}

Task<Result<ApiKey>> ApiKeyTable::find(const std::string& id) {
  const auto rows = co_await connection_.run(find_sql, Params().add(id));
  if (!rows) co_return Failure(rows.error());
  if (rows->empty()) co_return Failure(Errc::not_found);
  co_return read_key(*rows, 0);
}

}  // namespace millrace::postgres
