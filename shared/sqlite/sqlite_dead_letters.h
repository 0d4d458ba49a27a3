#pragma once
#include <memory>

#include "shared/dead_letters.h"
#include "shared/sqlite/sqlite_store.h"

namespace millrace {

namespace sqlite {
class Caller;
class WriteThread;
}  // namespace sqlite

/// The dead letters of an embedded millrace. Belongs to the loop of `clock`; store and clock
/// outlive it.
class SqliteDeadLetters final : public DeadLetters {
 public:
  SqliteDeadLetters(SqliteStore& store, Clock& clock);
  ~SqliteDeadLetters() override;

  Task<Result<std::vector<DeadLetter>>> list(std::string tenant, std::int64_t before,
                                             std::size_t limit) override;
  Task<Result<std::vector<DeadLetter>>> unsent(std::string tenant, std::int64_t after) override;
  Task<Result<>> note_redriven(std::string tenant, JobId job, JobId as) override;

 private:
  sqlite::WriteThread& writes_;
  std::unique_ptr<sqlite::Caller> caller_;
};

}  // namespace millrace
