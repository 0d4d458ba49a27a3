#include "shared/sqlite/session_table.h"

#include <algorithm>
#include <limits>

namespace millrace::sqlite {
namespace {

// A session lives from its last access on, from its last answer on, and while a job lives that is
// to answer in it: however short the time-out, the answer finds its session.
#define MILLRACE_SPOKEN(since)                                                             \
  "EXISTS (SELECT 1 FROM messages LEFT JOIN jobs ON jobs.id = messages.job_id"             \
  " WHERE messages.tenant = sessions.tenant AND messages.session_id = sessions.session_id" \
  " AND (messages.created_at >= " since                                                    \
  " OR messages.place = 0 AND jobs.id IS NOT NULL AND jobs.ended_at IS NULL))"
#define MILLRACE_LIVES(since) "(last_accessed >= " since " OR " MILLRACE_SPOKEN(since) ")"

constexpr const char* create_sql =
    "INSERT INTO sessions (tenant, session_id, created_at, last_accessed, metadata)"
    " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
constexpr const char* find_sql =
    "SELECT created_at, last_accessed, metadata FROM sessions"
    " WHERE tenant = ?1 AND session_id = ?2 AND " MILLRACE_LIVES("?3");
constexpr const char* touch_sql =
    "UPDATE sessions SET last_accessed = max(last_accessed, ?4)"
    " WHERE tenant = ?1 AND session_id = ?2 AND " MILLRACE_LIVES("?3");
constexpr const char* unkeep_sql =
    "UPDATE jobs SET unkept = 1 WHERE id IN (SELECT job_id FROM messages"
    " WHERE tenant = ? AND session_id = ? AND place = 0)";
constexpr const char* remove_messages_sql =
    "DELETE FROM messages WHERE tenant = ? AND session_id = ?";
constexpr const char* remove_sql = "DELETE FROM sessions WHERE tenant = ? AND session_id = ?";
constexpr const char* ask_sql =
    "INSERT INTO messages (tenant, session_id, turn, place, message_id, role, content, status,"
    " created_at, token_usage, job_id) SELECT ?1, ?2, coalesce(max(turn), 0) + 1, 0, ?3, 'user',"
    " ?4, 'complete', ?5, '', ?6 FROM messages WHERE tenant = ?1 AND session_id = ?2"
    " ON CONFLICT DO NOTHING";
constexpr const char* withdraw_sql = "DELETE FROM messages WHERE job_id = ?";
constexpr const char* turn_of_sql = "SELECT turn FROM messages WHERE job_id = ? AND place = 0";
constexpr const char* messages_sql =
    "SELECT message_id, role, content, status, created_at, token_usage, job_id FROM messages"
    " WHERE tenant = ? AND session_id = ? AND turn <= ? ORDER BY turn DESC, place DESC LIMIT ?";
constexpr const char* summary_sql =
    "SELECT summary, summary_upto FROM sessions"
    " WHERE tenant = ?1 AND session_id = ?2 AND " MILLRACE_LIVES("?3");
constexpr const char* keep_summary_sql =
    "UPDATE sessions SET summary = ?1, summary_upto = ?2"
    " WHERE tenant = ?3 AND session_id = ?4 AND " MILLRACE_LIVES("?5");
constexpr const char* expired_sql =
    "SELECT tenant, session_id FROM sessions WHERE last_accessed < ?1"
    " AND NOT " MILLRACE_SPOKEN("?1") " ORDER BY last_accessed LIMIT ?2";
#undef MILLRACE_LIVES
#undef MILLRACE_SPOKEN

Result<Message> read_message(const Query& query) {
  Message message{.id = query.text(0),
                  .role = query.text(1),
                  .content = query.text(2),
                  .status = query.text(3),
                  .created_at = query.time(4),
                  .token_usage = query.text(5),
                  .job = {}};
  const auto job = query.bytes(6);
  if (job.size() != message.job.bytes.size()) return Failure(Errc::corrupt);
  std::ranges::copy(job, message.job.bytes.begin());
  return message;
}

}  // namespace

SessionTable::SessionTable(Database& database)
    : database_(database),
      create_(create_sql),
      find_(find_sql),
      touch_(touch_sql),
      unkeep_(unkeep_sql),
      remove_messages_(remove_messages_sql),
      remove_(remove_sql),
      ask_(ask_sql),
      withdraw_(withdraw_sql),
      turn_of_(turn_of_sql),
      messages_(messages_sql),
      summary_(summary_sql),
      keep_summary_(keep_summary_sql),
      expired_(expired_sql) {}

Result<Session> SessionTable::create(const Session& session, WallTime alive_since) {
  const auto standing = find(session.tenant, session.id, alive_since);
  if (standing) return Failure(Errc::conflict);
  if (standing.error() != Errc::not_found) return Failure(standing.error());
  if (const auto cleared = erase(session.tenant, session.id); !cleared)
    return Failure(cleared.error());
  auto insert = create_.on(database_);
  insert.bind(session.tenant).bind(session.id).bind(session.created_at);
  const auto made = insert.bind(session.last_accessed).bind(session.metadata).finish();
  if (!made) return Failure(made.error());
  return session;
}

Result<Session> SessionTable::find(std::string_view tenant, std::string_view id,
                                   WallTime alive_since) {
  auto query = find_.on(database_);
  const auto row = query.bind(tenant).bind(id).bind(alive_since).step();
  if (!row) return Failure(row.error());
  if (!*row) return Failure(Errc::not_found);
  return Session{.id = std::string(id),
                 .tenant = std::string(tenant),
                 .created_at = query.time(0),
                 .last_accessed = query.time(1),
                 .metadata = query.text(2)};
}

/// True when it lives, as accessed now.
Result<bool> SessionTable::live(std::string_view tenant, std::string_view id, WallTime alive_since,
                                WallTime now) {
  auto update = touch_.on(database_);
  const auto done = update.bind(tenant).bind(id).bind(alive_since).bind(now).finish();
  if (!done) return Failure(done.error());
  return database_.changes() > 0;
}

Result<Session> SessionTable::access(std::string_view tenant, std::string_view id,
                                     WallTime alive_since, WallTime now) {
  const auto lives = live(tenant, id, alive_since, now);
  if (!lives) return Failure(lives.error());
  if (!*lives) return Failure(Errc::not_found);
  return find(tenant, id, alive_since);
}

Result<> SessionTable::erase(std::string_view tenant, std::string_view id) {
  {
    auto messages = remove_messages_.on(database_);
    if (const auto done = messages.bind(tenant).bind(id).finish(); !done) return done;
  }
  return remove_.on(database_).bind(tenant).bind(id).finish();
}

Result<> SessionTable::remove(std::string_view tenant, std::string_view id, WallTime alive_since) {
  const auto lives = find(tenant, id, alive_since);
  if (!lives) return Failure(lives.error());
  if (const auto done = unkeep_.on(database_).bind(tenant).bind(id).finish(); !done) return done;
  return erase(tenant, id);
}

Result<Message> SessionTable::ask(std::string_view tenant, std::string_view session,
                                  const Message& question, WallTime alive_since) {
  const auto lives = live(tenant, session, alive_since, question.created_at);
  if (!lives) return Failure(lives.error());
  if (!*lives) return Failure(Errc::not_found);
  auto insert = ask_.on(database_);
  insert.bind(tenant).bind(session).bind(question.id).bind(question.content);
  const auto done = insert.bind(question.created_at).bind(question.job.bytes).finish();
  if (!done) return Failure(done.error());
  return question;
}

Result<> SessionTable::withdraw(const JobId& job) {
  return withdraw_.on(database_).bind(job.bytes).finish();
}

Result<std::optional<std::int64_t>> SessionTable::turn_of(const JobId& job) {
  auto query = turn_of_.on(database_);
  const auto row = query.bind(job.bytes).step();
  if (!row) return Failure(row.error());
  if (!*row) return std::optional<std::int64_t>();
  return query.number(0);
}

Result<std::vector<Message>> SessionTable::messages(std::string_view tenant, std::string_view id,
                                                    std::uint32_t limit, std::optional<JobId> until,
                                                    WallTime alive_since) {
  const auto lives = find(tenant, id, alive_since);
  if (!lives) return Failure(lives.error());
  std::int64_t last_turn = std::numeric_limits<std::int64_t>::max();
  if (until) {
    const auto turn = turn_of(*until);
    if (!turn) return Failure(turn.error());
    if (*turn) last_turn = **turn;
  }
  auto query = messages_.on(database_);
  query.bind(tenant).bind(id).bind(last_turn).bind(limit);
  auto newest_first = all_of<Message>(query, read_message);
  if (newest_first) std::ranges::reverse(*newest_first);
  return newest_first;
}

Result<Summary> SessionTable::summary(std::string_view tenant, std::string_view id,
                                      WallTime alive_since) {
  auto query = summary_.on(database_);
  const auto row = query.bind(tenant).bind(id).bind(alive_since).step();
  if (!row) return Failure(row.error());
  if (!*row) return Failure(Errc::not_found);
  return Summary{.text = query.text(0), .upto = query.text(1)};
}

Result<> SessionTable::keep_summary(std::string_view tenant, std::string_view id,
                                    const Summary& summary, WallTime alive_since) {
  auto update = keep_summary_.on(database_);
  update.bind(summary.text).bind(summary.upto).bind(tenant).bind(id);
  const auto done = update.bind(alive_since).finish();
  if (!done) return done;
  if (database_.changes() == 0) return Failure(Errc::not_found);
  return {};
}

Result<std::int64_t> SessionTable::remove_expired(WallTime alive_since, std::int64_t sessions_max) {
  std::vector<std::pair<std::string, std::string>> expired;
  {
    auto query = expired_.on(database_);
    query.bind(alive_since).bind(sessions_max);
    for (;;) {
      const auto row = query.step();
      if (!row) return Failure(row.error());
      if (!*row) break;
      expired.emplace_back(query.text(0), query.text(1));
    }
  }
  for (const auto& [tenant, id] : expired)
    if (const auto done = erase(tenant, id); !done) return Failure(done.error());
  return static_cast<std::int64_t>(expired.size());
}

}  // namespace millrace::sqlite
