#include "shared/sqlite/webhook_table.h"

#include <algorithm>

namespace millrace::sqlite {
namespace {

constexpr const char* any_due_sql =
    "SELECT 1 FROM webhook_deliveries WHERE state = 0 AND due <= ? LIMIT 1";

#define MILLRACE_TURNS \
  "SELECT job_id, tenant, url, host, claims + 1, tries + 1, queued_at FROM webhook_deliveries"
constexpr const char* due_sql =
    MILLRACE_TURNS " WHERE state = 0 AND due <= ?1 ORDER BY due LIMIT ?2";
/// Goes from host to host and looks at the first of each, so that what waits for a busy host is not
/// read to find what is behind it. Between its two halves come the hosts to leave out.
constexpr const char* hosts_sql =
    "WITH RECURSIVE hosts (host) AS (SELECT min(host) FROM webhook_deliveries WHERE state = 0"
    " UNION ALL SELECT (SELECT min(host) FROM webhook_deliveries"
    " WHERE state = 0 AND host > hosts.host) FROM hosts WHERE host IS NOT NULL),"
    " longest (host, since) AS (SELECT host, (SELECT min(due) FROM webhook_deliveries AS own"
    " WHERE own.state = 0 AND own.host = hosts.host) AS since FROM hosts"
    " WHERE since <= ?1 AND host NOT IN (";
constexpr const char* of_hosts_sql =
    ") ORDER BY since LIMIT ?2) " MILLRACE_TURNS
    " WHERE job_id IN (SELECT own.job_id FROM longest CROSS JOIN webhook_deliveries AS own"
    " WHERE own.job_id IN (SELECT job_id FROM webhook_deliveries AS first WHERE first.state = 0"
    " AND first.host = longest.host AND first.due <= ?1 ORDER BY first.due LIMIT ?2))"
    " ORDER BY due LIMIT ?2";
#undef MILLRACE_TURNS

constexpr const char* take_sql =
    "UPDATE webhook_deliveries SET due = ?2, claims = claims + 1, tries = tries + 1"
    " WHERE job_id = ?1";

constexpr const char* settle_sql =
    "UPDATE webhook_deliveries SET state = ?3, due = ?4, settled_at = nullif(?5, 0), last_status = "
    "?6,"
    " last_error = ?7 WHERE job_id = ?1 AND claims = ?2";

constexpr const char* note_sql =
    "INSERT INTO webhook_attempts (job_id, number, at, took_ms, status, error)"
    " SELECT job_id, ?2, ?3, ?4, ?5, ?6 FROM webhook_deliveries WHERE job_id = ?1"
    " ON CONFLICT DO NOTHING";

constexpr const char* forget_sql = "DELETE FROM webhook_attempts WHERE job_id = ? AND number <= ?";

constexpr const char* pending_sql = "SELECT count(*) FROM webhook_deliveries WHERE state = 0";

#define MILLRACE_DELIVERIES                                                           \
  "SELECT job_id, tenant, url, ended_as, state, claims, created_at, due, settled_at," \
  " coalesce(last_status, 0), coalesce(last_error, '') FROM webhook_deliveries WHERE tenant = ?1"
constexpr const char* list_sql = MILLRACE_DELIVERIES;
constexpr const char* find_sql = MILLRACE_DELIVERIES " AND job_id = ?2";
#undef MILLRACE_DELIVERIES

constexpr const char* attempts_sql =
    "SELECT number, at, took_ms, status, error FROM webhook_attempts WHERE job_id = ?"
    " ORDER BY number DESC LIMIT ?";

constexpr const char* redeliver_sql =
    "UPDATE webhook_deliveries SET state = 0, due = ?3, queued_at = ?3, tries = 0,"
    " settled_at = NULL WHERE tenant = ?1 AND job_id = ?2";

constexpr const char* secrets_sql =
    "SELECT secret, made_at FROM webhook_secrets WHERE tenant = ? ORDER BY number DESC LIMIT 2";
constexpr const char* first_secret_sql =
    "INSERT INTO webhook_secrets (tenant, number, secret, made_at) SELECT ?1, 1, ?2, ?3"
    " WHERE NOT EXISTS (SELECT 1 FROM webhook_secrets WHERE tenant = ?1)";
constexpr const char* rotate_sql =
    "INSERT INTO webhook_secrets (tenant, number, secret, made_at)"
    " SELECT ?1, coalesce(max(number), 0) + 1, ?2, ?3 FROM webhook_secrets WHERE tenant = ?1";
constexpr const char* forget_secrets_sql =
    "DELETE FROM webhook_secrets WHERE tenant = ?1 AND number <"
    " (SELECT max(number) FROM webhook_secrets WHERE tenant = ?1) - 1";

std::int64_t in_ms(Duration time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
}

Result<WebhookTurn> read_turn(const Query& query) {
  const auto job = query.id(0);
  if (!job) return Failure(Errc::corrupt);
  return WebhookTurn{.job = *job,
                     .tenant = query.text(1),
                     .url = query.text(2),
                     .host = query.text(3),
                     .number = static_cast<std::uint32_t>(query.number(4)),
                     .tries = static_cast<std::uint32_t>(query.number(5)),
                     .queued_at = query.time(6)};
}

Result<WebhookDelivery> read_delivery(const Query& query) {
  const auto job = query.id(0);
  const auto ended_as = static_cast<JobState>(query.number(3));
  const auto state = static_cast<DeliveryState>(query.number(4));
  if (!job || end_event(ended_as).empty() || to_string(state).empty())
    return Failure(Errc::corrupt);
  WebhookDelivery delivery{.job = *job,
                           .tenant = query.text(1),
                           .url = query.text(2),
                           .ended_as = ended_as,
                           .state = state,
                           .attempts = static_cast<std::uint32_t>(query.number(5)),
                           .created_at = query.time(6),
                           .next_at = {},
                           .settled_at = {},
                           .last_status = static_cast<int>(query.number(9)),
                           .last_error = query.text(10)};
  if (state == DeliveryState::pending) delivery.next_at = query.time(7);
  if (!query.null(8)) delivery.settled_at = query.time(8);
  return delivery;
}

Result<WebhookAttempt> read_attempt(const Query& query) {
  return WebhookAttempt{.number = static_cast<std::uint32_t>(query.number(0)),
                        .at = query.time(1),
                        .took = std::chrono::milliseconds(query.number(2)),
                        .status = static_cast<int>(query.number(3)),
                        .error = query.text(4)};
}

}  // namespace

WebhookTable::WebhookTable(Database& database)
    : database_(database),
      any_due_(any_due_sql),
      take_(take_sql),
      settle_(settle_sql),
      note_(note_sql),
      forget_(forget_sql) {}

Result<bool> WebhookTable::any_due(WallTime now) {
  return any_due_.on(database_).bind(now).step();
}

Result<std::vector<WebhookTurn>> WebhookTable::claim(const std::vector<std::string>& but,
                                                     std::uint32_t most, WallTime now,
                                                     WallTime until) {
  std::string sql = but.empty() ? due_sql : hosts_sql;
  for (std::size_t i = 0; i < but.size(); ++i)
    sql += (i == 0 ? "?" : ", ?") + std::to_string(i + 3);
  if (!but.empty()) sql += of_hosts_sql;
  Result<std::vector<WebhookTurn>> turns;
  {
    Statement due(sql.c_str());
    auto query = due.on(database_);
    query.bind(now).bind(most);
    for (const auto& host : but) query.bind(host);
    turns = all_of<WebhookTurn>(query, read_turn);
  }
  if (!turns) return turns;
  for (const auto& turn : *turns) {
    const auto taken = take_.on(database_).bind(turn.job.bytes).bind(until).finish();
    if (!taken) return Failure(taken.error());
  }
  return turns;
}

Result<> WebhookTable::settle(const JobId& job, const WebhookAttempt& attempt,
                              const WebhookResult& result, WallTime now) {
  {
    auto update = settle_.on(database_);
    update.bind(job.bytes).bind(attempt.number).bind(static_cast<std::int64_t>(result.state));
    update.bind(result.next_at);
    update.bind(result.state == DeliveryState::pending ? WallTime{} : now);
    const auto done = update.bind(attempt.status).bind(attempt.error).finish();
    if (!done) return done;
  }
  {
    auto insert = note_.on(database_);
    insert.bind(job.bytes).bind(attempt.number).bind(attempt.at).bind(in_ms(attempt.took));
    const auto done = insert.bind(attempt.status).bind(attempt.error).finish();
    if (!done) return done;
  }
  if (attempt.number <= WebhookHistory::attempts_kept) return {};
  const std::int64_t forgotten = attempt.number - WebhookHistory::attempts_kept;
  return forget_.on(database_).bind(job.bytes).bind(forgotten).finish();
}

Result<std::uint64_t> WebhookTable::pending() {
  Statement count(pending_sql);
  auto query = count.on(database_);
  const auto row = query.step();
  if (!row) return Failure(row.error());
  return static_cast<std::uint64_t>(query.number(0));
}

Result<WebhookDelivery> WebhookTable::find(std::string_view tenant, const JobId& job) {
  Statement select(find_sql);
  auto query = select.on(database_);
  const auto row = query.bind(tenant).bind(job.bytes).step();
  if (!row) return Failure(row.error());
  if (!*row) return Failure(Errc::not_found);
  return read_delivery(query);
}

Result<std::vector<WebhookAttempt>> WebhookTable::attempts(const JobId& job) {
  Statement select(attempts_sql);
  auto query = select.on(database_);
  query.bind(job.bytes).bind(WebhookHistory::attempts_kept);
  return all_of<WebhookAttempt>(query, read_attempt);
}

Result<WebhookHistory> WebhookTable::history(std::string_view tenant, const JobId& job) {
  auto delivery = find(tenant, job);
  if (!delivery) return Failure(delivery.error());
  auto tried = attempts(job);
  if (!tried) return Failure(tried.error());
  return WebhookHistory{.delivery = std::move(*delivery), .attempts = std::move(*tried)};
}

Result<std::vector<WebhookDelivery>> WebhookTable::list(const DeliveryFilter& filter) {
  WallTime before{};
  if (filter.after) {
    const auto last = find(filter.tenant, *filter.after);
    if (!last) return Failure(last.error());
    before = last->created_at;
  }
  std::string sql = list_sql;
  if (filter.job) sql += " AND job_id = ?";
  if (filter.state) sql += " AND state = ?";
  if (filter.after) sql += " AND (created_at, job_id) < (?, ?)";
  sql += " ORDER BY created_at DESC, job_id DESC LIMIT ?";
  Statement select(sql.c_str());
  auto query = select.on(database_);
  query.bind(filter.tenant);
  if (filter.job) query.bind(filter.job->bytes);
  if (filter.state) query.bind(static_cast<std::int64_t>(*filter.state));
  if (filter.after) query.bind(before).bind(filter.after->bytes);
  query.bind(filter.limit);
  return all_of<WebhookDelivery>(query, read_delivery);
}

Result<WebhookDelivery> WebhookTable::redeliver(std::string_view tenant, const JobId& job,
                                                WallTime now) {
  {
    Statement update(redeliver_sql);
    const auto done = update.on(database_).bind(tenant).bind(job.bytes).bind(now).finish();
    if (!done) return Failure(done.error());
  }
  return find(tenant, job);
}

Result<std::vector<std::string>> WebhookTable::secrets(std::string_view tenant,
                                                       WallTime goes_on_since) {
  Statement select(secrets_sql);
  auto query = select.on(database_);
  query.bind(tenant);
  std::vector<std::string> found;
  for (bool goes_on = true; goes_on;) {
    const auto row = query.step();
    if (!row) return Failure(row.error());
    if (!*row) break;
    found.push_back(query.text(0));
    goes_on = query.time(1) > goes_on_since;
  }
  return found;
}

Result<std::vector<std::string>> WebhookTable::first_secret(std::string_view tenant,
                                                            std::string_view fresh, WallTime now,
                                                            WallTime goes_on_since) {
  {
    Statement insert(first_secret_sql);
    const auto done = insert.on(database_).bind(tenant).bind(fresh).bind(now).finish();
    if (!done) return Failure(done.error());
  }
  return secrets(tenant, goes_on_since);
}

Result<std::vector<std::string>> WebhookTable::rotate(std::string_view tenant,
                                                      std::string_view fresh, WallTime now,
                                                      WallTime goes_on_since) {
  {
    Statement insert(rotate_sql);
    const auto done = insert.on(database_).bind(tenant).bind(fresh).bind(now).finish();
    if (!done) return Failure(done.error());
  }
  {
    Statement forget(forget_secrets_sql);
    if (const auto done = forget.on(database_).bind(tenant).finish(); !done)
      return Failure(done.error());
  }
  return secrets(tenant, goes_on_since);
}

}  // namespace millrace::sqlite
