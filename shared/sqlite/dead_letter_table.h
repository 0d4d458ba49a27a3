#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shared/dead_letters.h"
#include "shared/sqlite/database.h"

namespace millrace::sqlite {

/// The statements of the dead letters over one connection; as with QueueTable.
class DeadLetterTable {
 public:
  explicit DeadLetterTable(Database& database) : database_(database) {}

  /// Keeps the letter unless its job left one, and drops those of jobs that died before
  /// `forget_before`.
  Result<> add(const DeadLetter& letter, WallTime forget_before);
  /// Newest first, those with a lower number than `before`.
  Result<std::vector<DeadLetter>> list(const std::string& tenant, std::int64_t before,
                                       std::size_t limit);
  /// Oldest first, those behind `after` that were not sent again.
  Result<std::vector<DeadLetter>> unsent(const std::string& tenant, std::int64_t after,
                                         std::size_t limit);
  /// In the letter of that job, which is made of its row where none is there yet.
  Result<> note_redriven(const std::string& tenant, const JobId& job, const JobId& as);

 private:
  Database& database_;
};

}  // namespace millrace::sqlite
