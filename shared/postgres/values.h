#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/runtime/error.h"
#include "shared/runtime/ids.h"
#include "shared/runtime/time.h"

struct pg_result;

namespace millrace::postgres {

/// Text as a TEXT column takes it: Postgres has no NUL, so it is written as `\x01 0`, and `\x01`
/// itself as `\x01 1`. Everything else stands as it is, for people to read.
std::string to_column(std::string_view text);
std::string from_column(std::string_view column);

/// The parameters of one execution, in order. Keeps copies.
class Params {
 public:
  Params& add(std::int64_t number);
  Params& add(std::string_view text);
  Params& add(const JobId& id);
  Params& add(WallTime when);
  Params& add_null();

  std::size_t size() const { return values_.size(); }
  /// Valid until the next `add`, as libpq takes them.
  struct Raw {
    std::vector<const char*> values;
    std::vector<int> lengths;
    std::vector<int> formats;
  };
  Raw raw() const;

 private:
  struct Value {
    std::optional<std::string> bytes;
    bool binary = false;
  };
  std::vector<Value> values_;
};

/// The rows of one answer. Columns by number from 0; a NULL reads as 0 and as empty.
class Rows {
 public:
  explicit Rows(pg_result* result) : result_(result) {}

  std::size_t size() const;
  bool empty() const { return size() == 0; }
  std::int64_t number(std::size_t row, int column) const;
  std::string text(std::size_t row, int column) const;
  /// Nothing where the column does not hold an id.
  std::optional<JobId> id(std::size_t row, int column) const;
  WallTime time(std::size_t row, int column) const;
  std::optional<WallTime> time_or_none(std::size_t row, int column) const;
  bool null(std::size_t row, int column) const;
  /// What was done (`COMMIT`, `INSERT 0 1`).
  std::string_view command() const;
  /// Rows that were inserted, updated or deleted.
  std::int64_t changes() const;

 private:
  struct Clear {
    void operator()(pg_result* result) const noexcept;
  };
  std::string_view raw(std::size_t row, int column) const;

  std::unique_ptr<pg_result, Clear> result_;
};

/// Every row, as `read(rows, row)` makes it of one: a Result.
template <class T, class Read>
Result<std::vector<T>> all_of(const Rows& rows, Read read) {
  std::vector<T> found;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    auto one = read(rows, row);
    if (!one) return Failure(one.error());
    found.push_back(std::move(*one));
  }
  return found;
}

}  // namespace millrace::postgres
