#include "shared/postgres/session_table.h"

#include <algorithm>

namespace millrace::postgres {
namespace {

// A session lives from its last access on, from its last answer on, and while a job lives that is
// to answer in it: however short the time-out, the answer finds its session.
#define MILLRACE_SPOKEN(since)                                                             \
  "EXISTS (SELECT 1 FROM messages LEFT JOIN jobs ON jobs.id = messages.job_id"             \
  " WHERE messages.tenant = sessions.tenant AND messages.session_id = sessions.session_id" \
  " AND (messages.created_at >= " since                                                    \
  " OR messages.place = 0 AND jobs.id IS NOT NULL AND jobs.ended_at IS NULL))"
#define MILLRACE_LIVES(since) "(last_accessed >= " since " OR " MILLRACE_SPOKEN(since) ")"

/// One that has expired begins anew, in its own row.
constexpr Statement create_sql{
    "INSERT INTO sessions (tenant, session_id, created_at, last_accessed, metadata)"
    " VALUES ($1, $2, $3, $3, $4) ON CONFLICT (tenant, session_id) DO UPDATE SET"
    " created_at = excluded.created_at, last_accessed = excluded.last_accessed,"
    " metadata = excluded.metadata, summary = '', summary_upto = ''"
    " WHERE sessions.last_accessed < $5 AND NOT " MILLRACE_SPOKEN("$5")};
constexpr Statement unkeep_sql{
    "UPDATE jobs SET unkept = 1 WHERE id IN (SELECT job_id FROM messages"
    " WHERE tenant = $1 AND session_id = $2 AND place = 0)"};
constexpr Statement remove_messages_sql{
    "DELETE FROM messages WHERE tenant = $1 AND session_id = $2"};
/// Holds the row until the commit: who asks at the same time takes the next turn.
constexpr Statement access_sql{
    "UPDATE sessions SET last_accessed = greatest(last_accessed, $4)"
    " WHERE tenant = $1 AND session_id = $2 AND " MILLRACE_LIVES(
        "$3") " RETURNING created_at, last_accessed, metadata"};
constexpr Statement remove_sql{
    "DELETE FROM sessions WHERE tenant = $1 AND session_id = $2 AND " MILLRACE_LIVES("$3")};
constexpr Statement ask_sql{
    "INSERT INTO messages (tenant, session_id, turn, place, message_id, role, content, status,"
    " created_at, token_usage, job_id) SELECT $1, $2, coalesce(max(turn), 0) + 1, 0, $3, 'user',"
    " $4, 'complete', $5::bigint, '', $6::bytea FROM messages WHERE tenant = $1 AND session_id = $2"
    " ON CONFLICT (job_id, place) DO NOTHING"};
constexpr Statement withdraw_sql{"DELETE FROM messages WHERE job_id = $1"};
constexpr Statement lives_sql{
    "SELECT 1 FROM sessions WHERE tenant = $1 AND session_id = $2 AND " MILLRACE_LIVES("$3")};
constexpr Statement messages_sql{
    "SELECT message_id, role, content, status, created_at, token_usage, job_id FROM messages"
    " WHERE tenant = $1 AND session_id = $2 AND turn <= coalesce((SELECT turn FROM messages"
    " WHERE job_id = $4 AND place = 0), 9223372036854775807)"
    " ORDER BY turn DESC, place DESC LIMIT $3"};
constexpr Statement summary_sql{
    "SELECT summary, summary_upto FROM sessions"
    " WHERE tenant = $1 AND session_id = $2 AND " MILLRACE_LIVES("$3")};
constexpr Statement keep_summary_sql{
    "UPDATE sessions SET summary = $4, summary_upto = $5"
    " WHERE tenant = $1 AND session_id = $2 AND " MILLRACE_LIVES("$3")};
constexpr Statement remove_expired_sql{
    "WITH old AS (SELECT tenant, session_id FROM sessions WHERE last_accessed < $1"
    " AND NOT " MILLRACE_SPOKEN("$1") " ORDER BY last_accessed LIMIT $2 FOR UPDATE SKIP LOCKED),"
    " gone AS (DELETE FROM messages USING old WHERE messages.tenant = old.tenant"
    " AND messages.session_id = old.session_id)"
    " DELETE FROM sessions USING old WHERE sessions.tenant = old.tenant"
    " AND sessions.session_id = old.session_id"};

#undef MILLRACE_LIVES
#undef MILLRACE_SPOKEN

Params named(const std::string& tenant, const std::string& id) {
  return Params().add(tenant).add(id);
}

Result<Message> read_message(const Rows& rows, std::size_t row) {
  const auto job = rows.id(row, 6);
  if (!job) return Failure(Errc::corrupt);
  return Message{.id = rows.text(row, 0),
                 .role = rows.text(row, 1),
                 .content = rows.text(row, 2),
                 .status = rows.text(row, 3),
                 .created_at = rows.time(row, 4),
                 .token_usage = rows.text(row, 5),
                 .job = *job};
}

}  // namespace

Task<Result<Session>> SessionTable::create(const Session& session, WallTime alive_since) {
  const auto made = co_await connection_.run(create_sql, named(session.tenant, session.id)
                                                             .add(session.created_at)
                                                             .add(session.metadata)
                                                             .add(alive_since));
  if (!made) co_return Failure(made.error());
  if (made->changes() == 0) co_return Failure(Errc::conflict);
  const auto cleared =
      co_await connection_.run(remove_messages_sql, named(session.tenant, session.id));
  if (!cleared) co_return Failure(cleared.error());
  co_return session;
}

Task<Result<Session>> SessionTable::access(const std::string& tenant, const std::string& id,
                                           WallTime alive_since, WallTime now) {
  const auto rows =
      co_await connection_.run(access_sql, named(tenant, id).add(alive_since).add(now));
  if (!rows) co_return Failure(rows.error());
  if (rows->empty()) co_return Failure(Errc::not_found);
  co_return Session{.id = id,
                    .tenant = tenant,
                    .created_at = rows->time(0, 0),
                    .last_accessed = rows->time(0, 1),
                    .metadata = rows->text(0, 2)};
}

Task<Result<>> SessionTable::remove(const std::string& tenant, const std::string& id,
                                    WallTime alive_since) {
  const auto removed = co_await connection_.run(remove_sql, named(tenant, id).add(alive_since));
  if (!removed) co_return Failure(removed.error());
  if (removed->changes() == 0) co_return Failure(Errc::not_found);
  const auto unkept = co_await connection_.run(unkeep_sql, named(tenant, id));
  if (!unkept) co_return Failure(unkept.error());
  const auto cleared = co_await connection_.run(remove_messages_sql, named(tenant, id));
  if (!cleared) co_return Failure(cleared.error());
  co_return Result<>();
}

/// Two statements: the second sees what was committed by whoever had the session's row before.
Task<Result<Message>> SessionTable::ask(const std::string& tenant, const std::string& session,
                                        const Message& question, WallTime alive_since) {
  const auto lives = co_await access(tenant, session, alive_since, question.created_at);
  if (!lives) co_return Failure(lives.error());
  const auto asked = co_await connection_.run(ask_sql, named(tenant, session)
                                                           .add(question.id)
                                                           .add(question.content)
                                                           .add(question.created_at)
                                                           .add(question.job));
  if (!asked) co_return Failure(asked.error());
  co_return question;
}

Task<Result<>> SessionTable::withdraw(const JobId& job) {
  const auto gone = co_await connection_.run(withdraw_sql, Params().add(job));
  if (!gone) co_return Failure(gone.error());
  co_return Result<>();
}

Task<Result<std::vector<Message>>> SessionTable::messages(const std::string& tenant,
                                                          const std::string& id,
                                                          std::uint32_t limit,
                                                          std::optional<JobId> until,
                                                          WallTime alive_since) {
  Params which = named(tenant, id).add(limit);
  if (until)
    which.add(*until);
  else
    which.add_null();
  // Both leave together.
  auto ask_lives = connection_.run(lives_sql, named(tenant, id).add(alive_since));
  auto ask_messages = connection_.run(messages_sql, which);
  const auto lives = co_await std::move(ask_lives);
  if (!lives) co_return Failure(lives.error());
  const auto rows = co_await std::move(ask_messages);
  if (!rows) co_return Failure(rows.error());
  if (lives->empty()) co_return Failure(Errc::not_found);
  auto newest_first = all_of<Message>(*rows, read_message);
  if (newest_first) std::ranges::reverse(*newest_first);
  co_return newest_first;
}

Task<Result<Summary>> SessionTable::summary(const std::string& tenant, const std::string& id,
                                            WallTime alive_since) {
  const auto rows = co_await connection_.run(summary_sql, named(tenant, id).add(alive_since));
  if (!rows) co_return Failure(rows.error());
  if (rows->empty()) co_return Failure(Errc::not_found);
  co_return Summary{.text = rows->text(0, 0), .upto = rows->text(0, 1)};
}

Task<Result<>> SessionTable::keep_summary(const std::string& tenant, const std::string& id,
                                          const Summary& summary, WallTime alive_since) {
  const auto kept = co_await connection_.run(
      keep_summary_sql, named(tenant, id).add(alive_since).add(summary.text).add(summary.upto));
  if (!kept) co_return Failure(kept.error());
  if (kept->changes() == 0) co_return Failure(Errc::not_found);
  co_return Result<>();
}

Task<Result<std::int64_t>> SessionTable::remove_expired(WallTime alive_since,
                                                        std::int64_t sessions_max) {
  const auto removed =
      co_await connection_.run(remove_expired_sql, Params().add(alive_since).add(sessions_max));
  if (!removed) co_return Failure(removed.error());
  co_return removed->changes();
}

}  // namespace millrace::postgres
