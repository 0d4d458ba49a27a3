#include "shared/postgres/webhook_table.h"

namespace millrace::postgres {
namespace {

constexpr Statement any_due_sql{
    "SELECT 1 FROM webhook_deliveries WHERE state = 0 AND due <= $1 LIMIT 1"};

constexpr Statement settle_sql{
    "UPDATE webhook_deliveries SET state = $3, due = $4, settled_at = nullif($5::bigint, 0),"
    " last_status = $6, last_error = $7 WHERE job_id = $1 AND claims = $2"};

constexpr Statement note_sql{
    "INSERT INTO webhook_attempts (job_id, number, at, took_ms, status, error)"
    " SELECT job_id, $2::integer, $3::bigint, $4::bigint, $5::integer, $6"
    " FROM webhook_deliveries WHERE job_id = $1 ON CONFLICT DO NOTHING"};

constexpr Statement forget_sql{"DELETE FROM webhook_attempts WHERE job_id = $1 AND number <= $2"};

constexpr Statement pending_sql{"SELECT count(*) FROM webhook_deliveries WHERE state = 0"};

#define MILLRACE_DELIVERY                                                       \
  " job_id, tenant, url, ended_as, state, claims, created_at, due, settled_at," \
  " coalesce(last_status, 0), coalesce(last_error, '')"
constexpr const char* list_sql =
    "SELECT" MILLRACE_DELIVERY " FROM webhook_deliveries WHERE tenant = $1";
constexpr Statement find_sql{"SELECT" MILLRACE_DELIVERY
                             " FROM webhook_deliveries WHERE tenant = $1 AND job_id = $2"};
constexpr Statement redeliver_sql{
    "UPDATE webhook_deliveries SET state = 0, due = $3, queued_at = $3, tries = 0,"
    " settled_at = NULL WHERE tenant = $1 AND job_id = $2 RETURNING" MILLRACE_DELIVERY};
#undef MILLRACE_DELIVERY

constexpr Statement attempts_sql{
    "SELECT number, at, took_ms, status, error FROM webhook_attempts WHERE job_id = $1"
    " ORDER BY number DESC LIMIT $2"};

constexpr Statement secrets_sql{
    "SELECT secret, made_at FROM webhook_secrets WHERE tenant = $1 ORDER BY number DESC LIMIT 2"};
constexpr Statement first_secret_sql{
    "INSERT INTO webhook_secrets (tenant, number, secret, made_at)"
    " SELECT $1, 1, $2, $3::bigint WHERE NOT EXISTS"
    " (SELECT 1 FROM webhook_secrets WHERE tenant = $1) ON CONFLICT DO NOTHING"};
constexpr Statement rotate_sql{
    "INSERT INTO webhook_secrets (tenant, number, secret, made_at)"
    " SELECT $1, coalesce(max(number), 0) + 1, $2, $3::bigint FROM webhook_secrets"
    " WHERE tenant = $1 ON CONFLICT DO NOTHING"};
constexpr Statement forget_secrets_sql{
    "DELETE FROM webhook_secrets WHERE tenant = $1 AND number <"
    " (SELECT max(number) FROM webhook_secrets WHERE tenant = $1) - 1"};

std::string numbered(const Params& params) {
  return "$" + std::to_string(params.size());
}

Result<WebhookTurn> read_turn(const Rows& rows, std::size_t row) {
  const auto job = rows.id(row, 0);
  if (!job) return Failure(Errc::corrupt);
  return WebhookTurn{.job = *job,
                     .tenant = rows.text(row, 1),
                     .url = rows.text(row, 2),
                     .host = rows.text(row, 3),
                     .number = static_cast<std::uint32_t>(rows.number(row, 4)),
                     .tries = static_cast<std::uint32_t>(rows.number(row, 5)),
                     .queued_at = rows.time(row, 6)};
}

Result<WebhookDelivery> read_delivery(const Rows& rows, std::size_t row) {
  const auto job = rows.id(row, 0);
  const auto ended_as = static_cast<JobState>(rows.number(row, 3));
  const auto state = static_cast<DeliveryState>(rows.number(row, 4));
  if (!job || end_event(ended_as).empty() || to_string(state).empty())
    return Failure(Errc::corrupt);
  WebhookDelivery delivery{.job = *job,
                           .tenant = rows.text(row, 1),
                           .url = rows.text(row, 2),
                           .ended_as = ended_as,
                           .state = state,
                           .attempts = static_cast<std::uint32_t>(rows.number(row, 5)),
                           .created_at = rows.time(row, 6),
                           .next_at = {},
                           .settled_at = {},
                           .last_status = static_cast<int>(rows.number(row, 9)),
                           .last_error = rows.text(row, 10)};
  if (state == DeliveryState::pending) delivery.next_at = rows.time(row, 7);
  if (!rows.null(row, 8)) delivery.settled_at = rows.time(row, 8);
  return delivery;
}

Result<WebhookAttempt> read_attempt(const Rows& rows, std::size_t row) {
  return WebhookAttempt{.number = static_cast<std::uint32_t>(rows.number(row, 0)),
                        .at = rows.time(row, 1),
                        .took = std::chrono::milliseconds(rows.number(row, 2)),
                        .status = static_cast<int>(rows.number(row, 3)),
                        .error = rows.text(row, 4)};
}

/// Goes from host to host and looks at the first of each, so that what waits for a busy host is not
/// read to find what is behind it. The hosts to leave out come behind it, and then the second half.
constexpr const char* hosts_sql =
    "WITH RECURSIVE hosts (host) AS (SELECT min(host) FROM webhook_deliveries WHERE state = 0"
    " UNION ALL SELECT (SELECT min(host) FROM webhook_deliveries"
    " WHERE state = 0 AND host > hosts.host) FROM hosts WHERE host IS NOT NULL),"
    " longest AS (SELECT hosts.host FROM hosts CROSS JOIN LATERAL (SELECT min(due) AS since"
    " FROM webhook_deliveries AS own WHERE own.state = 0 AND own.host = hosts.host) AS first"
    " WHERE since <= $1 AND hosts.host NOT IN (";
constexpr const char* of_hosts_sql =
    ") ORDER BY since LIMIT $3) SELECT job_id FROM webhook_deliveries WHERE state = 0 AND due <= $1"
    " AND job_id IN (SELECT own.job_id FROM longest CROSS JOIN LATERAL (SELECT job_id"
    " FROM webhook_deliveries AS first WHERE first.state = 0 AND first.host = longest.host"
    " AND first.due <= $1 ORDER BY first.due LIMIT $3) AS own)";

/// The question and its parameters, which are as many as there are hosts to leave out.
std::string claim_text(const std::vector<std::string>& but, std::uint32_t most, WallTime now,
                       WallTime until, Params& params) {
  std::string sql =
      "UPDATE webhook_deliveries AS taken SET due = $2, claims = taken.claims + 1,"
      " tries = taken.tries + 1 FROM (";
  params.add(now).add(until).add(most);
  sql += but.empty() ? "SELECT job_id FROM webhook_deliveries WHERE state = 0 AND due <= $1"
                     : hosts_sql;
  for (const auto& host : but) {
    if (params.size() > 3) sql += ", ";
    sql += numbered(params.add(host));
  }
  if (!but.empty()) sql += of_hosts_sql;
  return sql +
         " ORDER BY due LIMIT $3 FOR UPDATE SKIP LOCKED) AS due WHERE taken.job_id = due.job_id "
         "RETURNING taken.job_id, taken.tenant, taken.url,"
         " taken.host, taken.claims, taken.tries, taken.queued_at";
}

std::string list_text(const DeliveryFilter& filter, std::optional<WallTime> before,
                      Params& params) {
  std::string sql = list_sql;
  params.add(filter.tenant);
  if (filter.job) sql += " AND job_id = " + numbered(params.add(*filter.job));
  if (filter.state)
    sql += " AND state = " + numbered(params.add(static_cast<std::int64_t>(*filter.state)));
  if (before) {
    sql += " AND (created_at, job_id) < (" + numbered(params.add(*before));
    sql += ", " + numbered(params.add(*filter.after)) + ")";
  }
  return sql +=
         " ORDER BY created_at DESC, job_id DESC LIMIT " + numbered(params.add(filter.limit));
}

}  // namespace

Task<Result<bool>> WebhookTable::any_due(WallTime now) {
  const auto rows = co_await connection_.run(any_due_sql, Params().add(now));
  if (!rows) co_return Failure(rows.error());
  co_return !rows->empty();
}

Task<Result<std::vector<WebhookTurn>>> WebhookTable::claim(const std::vector<std::string>& but,
                                                           std::uint32_t most, WallTime now,
                                                           WallTime until) {
  Params params;
  const std::string sql = claim_text(but, most, now, until, params);
  const auto rows = co_await connection_.run_once(sql, params);
  if (!rows) co_return Failure(rows.error());
  co_return all_of<WebhookTurn>(*rows, read_turn);
}

Task<Result<>> WebhookTable::settle(const JobId& job, const WebhookAttempt& attempt,
                                    const WebhookResult& result, WallTime now) {
  const bool over = result.state != DeliveryState::pending;
  const auto set =
      co_await connection_.run(settle_sql, Params()
                                               .add(job)
                                               .add(attempt.number)
                                               .add(static_cast<std::int64_t>(result.state))
                                               .add(result.next_at)
                                               .add(over ? now : WallTime{})
                                               .add(attempt.status)
                                               .add(attempt.error));
  if (!set) co_return Failure(set.error());
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(attempt.took).count();
  const auto noted = co_await connection_.run(note_sql, Params()
                                                            .add(job)
                                                            .add(attempt.number)
                                                            .add(attempt.at)
                                                            .add(took)
                                                            .add(attempt.status)
                                                            .add(attempt.error));
  if (!noted) co_return Failure(noted.error());
  if (attempt.number <= WebhookHistory::attempts_kept) co_return Result<>();
  const std::int64_t forgotten = attempt.number - WebhookHistory::attempts_kept;
  const auto gone = co_await connection_.run(forget_sql, Params().add(job).add(forgotten));
  if (!gone) co_return Failure(gone.error());
  co_return Result<>();
}

Task<Result<std::uint64_t>> WebhookTable::pending() {
  const auto rows = co_await connection_.run(pending_sql, {});
  if (!rows) co_return Failure(rows.error());
  co_return static_cast<std::uint64_t>(rows->number(0, 0));
}

Task<Result<WebhookDelivery>> WebhookTable::find(const std::string& tenant, const JobId& job) {
  const auto rows = co_await connection_.run(find_sql, Params().add(tenant).add(job));
  if (!rows) co_return Failure(rows.error());
  if (rows->empty()) co_return Failure(Errc::not_found);
  co_return read_delivery(*rows, 0);
}

Task<Result<WebhookHistory>> WebhookTable::history(const std::string& tenant, const JobId& job) {
  auto delivery = co_await find(tenant, job);
  if (!delivery) co_return Failure(delivery.error());
  const auto rows =
      co_await connection_.run(attempts_sql, Params().add(job).add(WebhookHistory::attempts_kept));
  if (!rows) co_return Failure(rows.error());
  auto tried = all_of<WebhookAttempt>(*rows, read_attempt);
  if (!tried) co_return Failure(tried.error());
  co_return WebhookHistory{.delivery = std::move(*delivery), .attempts = std::move(*tried)};
}

Task<Result<std::vector<WebhookDelivery>>> WebhookTable::list(const DeliveryFilter& filter) {
  std::optional<WallTime> before;
  if (filter.after) {
    const auto last = co_await find(filter.tenant, *filter.after);
    if (!last) co_return Failure(last.error());
    before = last->created_at;
  }
  Params params;
  const std::string sql = list_text(filter, before, params);
  const auto rows = co_await connection_.run_once(sql, params);
  if (!rows) co_return Failure(rows.error());
  co_return all_of<WebhookDelivery>(*rows, read_delivery);
}

Task<Result<WebhookDelivery>> WebhookTable::redeliver(const std::string& tenant, const JobId& job,
                                                      WallTime now) {
  const auto rows = co_await connection_.run(redeliver_sql, Params().add(tenant).add(job).add(now));
  if (!rows) co_return Failure(rows.error());
  if (rows->empty()) co_return Failure(Errc::not_found);
  co_return read_delivery(*rows, 0);
}

Task<Result<std::vector<std::string>>> WebhookTable::secrets(const std::string& tenant,
                                                             WallTime goes_on_since) {
  const auto rows = co_await connection_.run(secrets_sql, Params().add(tenant));
  if (!rows) co_return Failure(rows.error());
  std::vector<std::string> found;
  for (std::size_t row = 0; row < rows->size(); ++row) {
    found.push_back(rows->text(row, 0));
    if (rows->time(row, 1) <= goes_on_since) break;
  }
  co_return found;
}

Task<Result<std::vector<std::string>>> WebhookTable::first_secret(const std::string& tenant,
                                                                  const std::string& fresh,
                                                                  WallTime now,
                                                                  WallTime goes_on_since) {
  const auto made =
      co_await connection_.run(first_secret_sql, Params().add(tenant).add(fresh).add(now));
  if (!made) co_return Failure(made.error());
  co_return co_await secrets(tenant, goes_on_since);
}

Task<Result<std::vector<std::string>>> WebhookTable::rotate(const std::string& tenant,
                                                            const std::string& fresh, WallTime now,
                                                            WallTime goes_on_since) {
  const auto made = co_await connection_.run(rotate_sql, Params().add(tenant).add(fresh).add(now));
  if (!made) co_return Failure(made.error());
  const auto gone = co_await connection_.run(forget_secrets_sql, Params().add(tenant));
  if (!gone) co_return Failure(gone.error());
  co_return co_await secrets(tenant, goes_on_since);
}

}  // namespace millrace::postgres
