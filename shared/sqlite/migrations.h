#pragma once
#include <expected>
#include <span>
#include <string>

#include "shared/runtime/random.h"
#include "shared/sqlite/database.h"

namespace millrace::sqlite {

/// One step of the schema's history. It only adds: a process of the build before must be able to
/// go on with it. The SQL is read by SQLite and Postgres alike (BYTEA, BIGINT and SMALLINT are
/// only names to SQLite, which keeps what is bound).
struct Migration {
  int version;
  const char* name;
  const char* sql;
};

/// All of them, by rising version from 1.
std::span<const Migration> migrations();

/// Brings the file to the newest version in one transaction, and gives a new file its store id.
/// Safe to repeat, and for several processes at once. Returns the version that now stands, which
/// is higher than this build's own when a newer one was here. The error names the file.
std::expected<int, std::string> apply_migrations(Database& database, Random& random);

}  // namespace millrace::sqlite
