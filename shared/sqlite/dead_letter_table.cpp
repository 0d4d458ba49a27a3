#include "shared/sqlite/dead_letter_table.h"

#include <algorithm>

namespace millrace::sqlite {
namespace {

// Seldom used, so each is prepared when it is.
#define MILLRACE_LETTERS                                                        \
  "SELECT number, job_id, reason, attempts, died_at, redriven_as, tenant FROM " \
  "dead_letters "
constexpr const char* list_sql =
    MILLRACE_LETTERS "WHERE tenant = ? AND number < ? ORDER BY number DESC LIMIT ?";
constexpr const char* unsent_sql = MILLRACE_LETTERS
    "WHERE tenant = ? AND number > ? AND redriven_as IS NULL ORDER BY number"
    " LIMIT ?";
#undef MILLRACE_LETTERS
// What is erased in the Store must not stand here. An envelope may be unreadable, so the row of
// the job says whose it is.
constexpr const char* add_sql =
    "INSERT INTO dead_letters (job_id, reason, attempts, died_at, envelope, tenant)"
    " SELECT ?1, ?2, ?3, ?4, '', coalesce((SELECT tenant FROM jobs WHERE id = ?1), ?5)"
    " WHERE NOT EXISTS (SELECT 1 FROM dead_letters WHERE job_id = ?1)";
// The Store knows that a job failed before its queue has buried it.
constexpr const char* make_sql =
    "INSERT INTO dead_letters (job_id, reason, attempts, died_at, envelope, tenant)"
    " SELECT id, coalesce(error_message, ''), attempts, ended_at, '', tenant FROM jobs"
    " WHERE id = ?1 AND tenant = ?2 AND ended_at IS NOT NULL"
    " AND NOT EXISTS (SELECT 1 FROM dead_letters WHERE job_id = ?1)";
constexpr const char* forget_sql = "DELETE FROM dead_letters WHERE died_at < ?";
constexpr const char* note_redriven_sql =
    "UPDATE dead_letters SET redriven_as = ?3 WHERE job_id = ?1 AND tenant = ?2";

Result<std::vector<DeadLetter>> read(Query& query) {
  std::vector<DeadLetter> letters;
  for (;;) {
    const auto row = query.step();
    if (!row) return Failure(row.error());
    if (!*row) return letters;
    const auto job = query.id(1);
    if (!job) return Failure(Errc::corrupt);
    letters.push_back({.number = query.number(0),
                       .job = *job,
                       .tenant = query.text(6),
                       .reason = query.text(2),
                       .attempts = static_cast<std::uint32_t>(query.number(3)),
                       .died_at = WallTime(std::chrono::milliseconds(query.number(4))),
                       .redriven_as = query.id(5)});
  }
}

}  // namespace

Result<> DeadLetterTable::add(const DeadLetter& letter, WallTime forget_before) {
  Statement add(add_sql);
  auto insert = add.on(database_);
  insert.bind(letter.job.bytes).bind(letter.reason).bind(letter.attempts);
  insert.bind(letter.died_at).bind(letter.tenant);
  if (const auto done = insert.finish(); !done) return done;
  Statement forget(forget_sql);
  return forget.on(database_).bind(forget_before).finish();
}

Result<std::vector<DeadLetter>> DeadLetterTable::list(const std::string& tenant,
                                                      std::int64_t before, std::size_t limit) {
  Statement list(list_sql);
  auto query = list.on(database_);
  query.bind(tenant).bind(before).bind(static_cast<std::int64_t>(limit));
  return read(query);
}

Result<std::vector<DeadLetter>> DeadLetterTable::unsent(const std::string& tenant,
                                                        std::int64_t after, std::size_t limit) {
  Statement unsent(unsent_sql);
  auto query = unsent.on(database_);
  query.bind(tenant).bind(after).bind(static_cast<std::int64_t>(limit));
  return read(query);
}

Result<> DeadLetterTable::note_redriven(const std::string& tenant, const JobId& job,
                                        const JobId& as) {
  Statement make(make_sql);
  if (const auto made = make.on(database_).bind(job.bytes).bind(tenant).finish(); !made)
    return made;
  Statement note(note_redriven_sql);
  return note.on(database_).bind(job.bytes).bind(tenant).bind(as.bytes).finish();
}

}  // namespace millrace::sqlite
