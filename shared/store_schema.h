#pragma once
#include <span>

namespace millrace {

/// One step of the history of the Store's tables, the same number and meaning in every adapter. It
/// only adds: a process of the build before must be able to go on with it. Each statement ends with
/// `;` and a newline, and holds that nowhere else. BYTEA, BIGINT and SMALLINT are only names to
/// SQLite, which keeps what is bound.
struct Migration {
  int version;
  const char* name;
  const char* sqlite;
  const char* postgres;  ///< the same text but where it must differ; empty: nothing to do there
};

/// All of them, by rising version from 1.
std::span<const Migration> migrations();

}  // namespace millrace
