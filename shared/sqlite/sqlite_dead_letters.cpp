#include "shared/sqlite/sqlite_dead_letters.h"

#include <algorithm>
#include <limits>

#include "shared/sqlite/caller.h"
#include "shared/sqlite/threads.h"

namespace millrace {
namespace {

using sqlite::Tables;

using Letters = std::vector<DeadLetter>;

}  // namespace

SqliteDeadLetters::SqliteDeadLetters(SqliteStore& store, Clock& clock)
    : writes_(store.share_with_queue().writes),
      caller_(std::make_unique<sqlite::Caller>(clock, store.share_with_queue().replies)) {}

SqliteDeadLetters::~SqliteDeadLetters() = default;

Task<Result<Letters>> SqliteDeadLetters::list(std::string tenant, std::int64_t before,
                                              std::size_t limit) {
  const std::int64_t below = before > 0 ? before : std::numeric_limits<std::int64_t>::max();
  return caller_->ask<Letters>(writes_.queue(), 0,
                               [tenant, below, limit = std::min(limit, page_max)](Tables& tables) {
                                 return tables.letters.list(tenant, below, limit);
                               });
}

Task<Result<Letters>> SqliteDeadLetters::unsent(std::string tenant, std::int64_t after) {
  return caller_->ask<Letters>(writes_.queue(), 0, [tenant, after](Tables& tables) {
    return tables.letters.unsent(tenant, after, page_max);
  });
}

Task<Result<>> SqliteDeadLetters::note_redriven(std::string tenant, JobId job, JobId as) {
  return caller_->ask<void>(writes_.queue(), 0, [tenant, job, as](Tables& tables) {
    return tables.letters.note_redriven(tenant, job, as);
  });
}

}  // namespace millrace
