#include "shared/sqlite/migrations.h"

#include "shared/runtime/ids.h"
#include "shared/runtime/log.h"
#include "shared/store_schema.h"

namespace millrace::sqlite {
namespace {

Result<int> standing_version(Database& database) {
  Statement newest("SELECT coalesce(max(version), 0) FROM schema_version");
  auto query = newest.on(database);
  const auto row = query.step();
  if (!row) return Failure(row.error());
  return static_cast<int>(query.number(0));
}

Result<> apply(Database& database, const Migration& migration) {
  if (const auto done = database.run(migration.sqlite); !done) return done;
  Statement note("INSERT INTO schema_version (version, name) VALUES (?, ?)");
  return note.on(database).bind(migration.version).bind(migration.name).finish();
}

Result<> name_store(Database& database, Random& random) {
  Statement name(
      "INSERT INTO store (id, probes) SELECT ?, 0 WHERE NOT EXISTS (SELECT 1 FROM store)");
  const std::string id = new_token(random).str();
  return name.on(database).bind(id).finish();
}

/// Inside the transaction.
Result<int> bring_up(Database& database, Random& random) {
  const auto made = database.run(
      "CREATE TABLE IF NOT EXISTS schema_version "
      "(version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL)");
  if (!made) return Failure(made.error());
  const auto before = standing_version(database);
  if (!before) return before;
  for (const auto& migration : migrations()) {
    if (migration.version <= *before) continue;
    if (const auto done = apply(database, migration); !done) return Failure(done.error());
    log::info(
        "store_migrated",
        {{"file", database.path()}, {"version", migration.version}, {"name", migration.name}});
  }
  if (const auto named = name_store(database, random); !named) return Failure(named.error());
  return standing_version(database);
}

}  // namespace

std::expected<int, std::string> apply_migrations(Database& database, Random& random) {
  auto version = Result<int>(Failure(Errc::unavailable));
  if (database.run("BEGIN IMMEDIATE")) {
    version = bring_up(database, random);
    if (version) {
      if (const auto done = database.run("COMMIT"); !done) version = Failure(done.error());
    }
  }
  if (!version) {
    const std::string words = database.last_failure();
    (void)database.run("ROLLBACK");
    const std::string_view how = version.error() == Errc::corrupt
                                     ? " is damaged (restore it from a backup): "
                                     : " cannot be migrated: ";
    return std::unexpected("the store " + database.path() + std::string(how) + words);
  }
  if (*version > migrations().back().version)
    log::warn(
        "store_newer",
        {{"file", database.path()}, {"version", *version}, {"known", migrations().back().version}});
  return *version;
}

}  // namespace millrace::sqlite
