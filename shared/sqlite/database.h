#pragma once
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/runtime/error.h"
#include "shared/runtime/ids.h"
#include "shared/runtime/time.h"

struct sqlite3;
struct sqlite3_stmt;

namespace millrace::sqlite {

/// Why a file was not opened, and a sentence for a person that names it.
struct Unopened {
  Errc error;
  std::string words;
};

/// One connection to one file. Used by one thread at a time. Failures are told as `corrupt`,
/// `full`, `unavailable` (locked, broken disk), `timed_out` (a sync failed: a commit may stand or
/// not) or `invalid`; the words are in `last_failure`.
class Database {
 public:
  enum class Mode : std::uint8_t { write, read, look };

  /// Opens the file (`write` creates it) in WAL mode with `synchronous=FULL`; `look` changes
  /// nothing in it, whatever state it is in.
  static std::expected<Database, Unopened> open(const std::string& path, Mode mode);

  /// Runs statements that give no rows.
  Result<> run(const char* sql);
  /// Rows changed by the last INSERT, UPDATE or DELETE.
  std::int64_t changes() const;
  const std::string& path() const { return path_; }
  /// What went wrong last, in SQLite's words, with its code and the statement.
  const std::string& last_failure() const { return failure_; }
  /// Keeps the words of a failure and says what callers make of it.
  Errc fail(int code, std::string_view statement);

  sqlite3* raw() const { return handle_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* handle) const noexcept;
  };
  Database(std::string path, std::unique_ptr<sqlite3, Close> handle);
  std::expected<void, Unopened> configure(Mode mode);

  std::string path_;
  std::string failure_;
  std::unique_ptr<sqlite3, Close> handle_;
};

/// One execution of a statement, from its bindings to its reset.
class Query {
 public:
  Query(Database& database, sqlite3_stmt* statement, int prepared);
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  ~Query();

  // Parameters, in order. What text and bytes point at must live until this query ends.
  Query& bind(std::int64_t number);
  Query& bind(std::string_view text);
  Query& bind(std::span<const std::uint8_t> bytes);
  Query& bind(WallTime when);

  /// True: a row is there to be read. False: the end.
  Result<bool> step();
  /// Steps to the end, past any rows.
  Result<> finish();

  // Columns of the row, by number from 0. A NULL reads as 0 and as empty.
  std::int64_t number(int column) const;
  std::string text(int column) const;
  std::span<const std::uint8_t> bytes(int column) const;
  WallTime time(int column) const;
  std::optional<WallTime> time_or_none(int column) const;
  /// Nothing where the column does not hold an id.
  std::optional<JobId> id(int column) const;
  bool null(int column) const;

 private:
  Database& database_;
  sqlite3_stmt* statement_;
  int code_;
  int bound_ = 0;
};

/// Every row there is, as `read(query)` makes it of one: a Result.
template <class T, class Read>
Result<std::vector<T>> all_of(Query& query, Read read) {
  std::vector<T> found;
  for (;;) {
    const auto row = query.step();
    if (!row) return Failure(row.error());
    if (!*row) return found;
    auto one = read(query);
    if (!one) return Failure(one.error());
    found.push_back(std::move(*one));
  }
}

/// A statement prepared at its first use and kept.
class Statement {
 public:
  explicit Statement(const char* sql) : sql_(sql) {}

  /// Begins one execution; a failure to prepare is told by its first `step`.
  Query on(Database& database);

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  const char* sql_;
  std::unique_ptr<sqlite3_stmt, Finalize> prepared_;
};

}  // namespace millrace::sqlite
