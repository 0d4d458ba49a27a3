#include "shared/postgres/migrations.h"

#include "shared/postgres/visit.h"
#include "shared/runtime/config_value.h"
#include "shared/runtime/ids.h"
#include "shared/runtime/log.h"
#include "shared/store_schema.h"

namespace millrace::postgres {
namespace {

/// An index over many rows takes its time, and so does another process that makes one.
constexpr Duration patience = 80s;
/// Any number, the same in every process: "millrace" in ASCII.
constexpr std::int64_t lock_key = 0x6d696c6c72616365;

/// What is not awaited is sent with what comes next, and an error of it is the error of that.
void tell(Connection& connection, const std::string& sql, const Params& params = {}) {
  (void)connection.run_once(sql, params);
}

std::unexpected<std::string> refused(const Connection& connection) {
  return std::unexpected(connection.failure());
}

/// Each statement by itself: a pipeline takes no more at a time.
void tell_each(Connection& connection, std::string_view text) {
  while (true) {
    const auto end = text.find(";\n");
    if (end == text.npos) return;
    tell(connection, std::string(text.substr(0, end)));
    text.remove_prefix(end + 2);
  }
}

/// Inside the transaction, under the lock.
void apply_from(Connection& connection, int version) {
  for (const auto& migration : migrations()) {
    if (migration.version <= version) continue;
    tell_each(connection, migration.postgres);
    tell(connection, "INSERT INTO schema_version (version, name) VALUES ($1, $2)",
         Params().add(migration.version).add(migration.name));
    log::info("store_migrated", {{"version", migration.version}, {"name", migration.name}});
  }
}

Task<Told<Standing>> bring_up(Connection& connection, std::string new_id) {
  auto before = co_await standing(connection);
  if (!before) co_return before;
  if (before->version >= migrations().back().version && !before->id.empty()) co_return before;
  // Of the session, and before the transaction: what another has made is seen by one that begins
  // later. It goes with the connection.
  const auto locked =
      co_await connection.run_once("SELECT pg_advisory_lock($1)", Params().add(lock_key));
  if (!locked) co_return refused(connection);
  before = co_await standing(connection);  // somebody else may have been first
  if (!before) co_return before;
  tell(connection, "BEGIN");
  tell(connection,
       "CREATE TABLE IF NOT EXISTS schema_version"
       " (version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL)");
  apply_from(connection, before->version);
  tell(connection,
       "INSERT INTO store (id, probes) SELECT $1, 0 WHERE NOT EXISTS (SELECT 1 FROM store)",
       Params().add(new_id));
  const auto committed = co_await connection.run_once("COMMIT", {});
  if (!committed) co_return refused(connection);
  co_return co_await standing(connection);
}

std::string named(const std::string& url) {
  return "the store " + config_value::without_password(url);
}

}  // namespace

Task<Told<Standing>> standing(Connection& connection) {
  const auto there = co_await connection.run_once(
      "SELECT to_regclass('schema_version') IS NOT NULL AND to_regclass('store') IS NOT NULL", {});
  if (!there) co_return refused(connection);
  if (there->text(0, 0) != "t") co_return Standing{};
  const auto rows = co_await connection.run_once(
      "SELECT (SELECT coalesce(max(version), 0) FROM schema_version),"
      " (SELECT coalesce(max(id), '') FROM store)",
      {});
  if (!rows) co_return refused(connection);
  co_return Standing{static_cast<int>(rows->number(0, 0)), rows->text(0, 1)};
}

Told<Standing> migrate(const std::string& url, Random& random, Duration open_within) {
  const auto visit = Visit::open(url, open_within, patience);
  if (!visit) return std::unexpected(named(url) + " cannot be reached: " + visit.error());
  auto now = (*visit)->get<Standing>(
      [id = new_token(random).str()](Connection& connection) { return bring_up(connection, id); });
  if (!now) return std::unexpected(named(url) + " cannot be migrated: " + now.error());
  if (now->version > migrations().back().version)
    log::warn("store_newer", {{"version", now->version}, {"known", migrations().back().version}});
  return now;
}

}  // namespace millrace::postgres
