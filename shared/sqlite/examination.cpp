#include "shared/sqlite/examination.h"

#include <sqlite3.h>

#include <cstdlib>

#include "shared/sqlite/database.h"
#include "shared/store_schema.h"

namespace millrace::sqlite {
namespace {

constexpr const char* id_query = "SELECT id FROM store";

/// The first column of the first row; empty where there is none, or no such table.
std::string asked(Database& database, const char* sql) {
  Statement statement(sql);
  auto query = statement.on(database);
  const auto row = query.step();
  return row && *row ? query.text(0) : std::string();
}

std::vector<std::string> damage_of(Database& database) {
  std::vector<std::string> lines;
  Statement check("PRAGMA quick_check(10)");
  auto query = check.on(database);
  for (;;) {
    const auto row = query.step();
    if (!row) lines.push_back(database.last_failure());
    if (!row || !*row) break;
    if (auto line = query.text(0); line != "ok") lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace

std::expected<Examination, std::string> examine(const std::string& path) {
  auto database = Database::open(path, Database::Mode::look);
  if (!database) return std::unexpected(database.error().words);
  Examination found{.library = sqlite3_libversion(),
                    .library_old = sqlite3_libversion_number() < SQLITE_VERSION_NUMBER,
                    .newest = migrations().back().version};
  found.damage = damage_of(*database);
  const std::string version = asked(*database, "SELECT max(version) FROM schema_version");
  found.version = std::atoi(version.c_str());
  return found;
}

std::string store_id(const std::string& path) {
  auto database = Database::open(path, Database::Mode::look);
  return database ? asked(*database, id_query) : std::string();
}

}  // namespace millrace::sqlite
