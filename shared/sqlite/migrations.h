#pragma once
#include <expected>
#include <string>

#include "shared/runtime/random.h"
#include "shared/sqlite/database.h"

namespace millrace::sqlite {

/// Brings the file to the newest version in one transaction, and gives a new file its store id.
/// Safe to repeat, and for several processes at once. Returns the version that now stands, which
/// is higher than this build's own when a newer one was here. The error names the file.
std::expected<int, std::string> apply_migrations(Database& database, Random& random);

}  // namespace millrace::sqlite
