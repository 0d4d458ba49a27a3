#include "shared/postgres/job_table.h"

#include "shared/contract/webhook.h"
#include "shared/sessions.h"

namespace millrace::postgres {
namespace {

#define MILLRACE_ACCEPTED \
  "id, tenant, kind, session, model, created_at, deadline, fingerprint, envelope"

constexpr Statement note_sql{
    "INSERT INTO jobs (" MILLRACE_ACCEPTED
    ", state, cancel_wanted, attempts) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, 0)"
    " ON CONFLICT (id) DO UPDATE SET fingerprint = excluded.fingerprint"
    " WHERE jobs.fingerprint = '' AND excluded.fingerprint <> ''"};

constexpr Statement begin_sql{
    "INSERT INTO jobs (" MILLRACE_ACCEPTED
    ", state, cancel_wanted, attempts, started_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, 0, $10, $11)"
    " ON CONFLICT (id) DO UPDATE SET state = 1,"
    " attempts = greatest(jobs.attempts, excluded.attempts),"
    " started_at = coalesce(jobs.started_at, excluded.started_at) WHERE jobs.ended_at IS NULL"};

/// Step and answer go in only with the end that this call has set; `status` as Message has it.
constexpr Statement finish_sql{
    "WITH ended AS (INSERT INTO jobs (" MILLRACE_ACCEPTED
    ", cancel_wanted, attempts, state, ended_at, answer, finish_reason, answered_by, usage,"
    " error_code, error_message, retryable, tool_calls, asides) VALUES ($1, $2, $3, $4, $5, $6, $7,"
    " $8, $9, 0, 0, $10, $11, $12, $13, $14, $15, $16, $17, $18, $25, $28) ON CONFLICT (id)"
    " DO UPDATE SET"
    " state = excluded.state, ended_at = excluded.ended_at, answer = excluded.answer,"
    " finish_reason = excluded.finish_reason, answered_by = excluded.answered_by,"
    " usage = excluded.usage, error_code = excluded.error_code,"
    " error_message = excluded.error_message, retryable = excluded.retryable,"
    " tool_calls = excluded.tool_calls, asides = excluded.asides"
    " WHERE jobs.ended_at IS NULL RETURNING id),"
    " saved AS (INSERT INTO steps (job_id, step_index, input_hash, kind, output)"
    " SELECT id, $19::integer, $20, $21, $22 FROM ended WHERE $19::integer IS NOT NULL"
    " ON CONFLICT DO NOTHING),"
    " said AS (INSERT INTO messages (tenant, session_id, turn, place, message_id, role, content,"
    " status, created_at, token_usage, job_id, model, tools_used, cost) SELECT asked.tenant,"
    " asked.session_id, asked.turn, 1, $23::text, 'assistant', $12, $24::text, $11, $15,"
    " asked.job_id, $14, $26, nullif($27::text, '')::double precision"
    " FROM messages AS asked JOIN ended ON asked.job_id = ended.id AND asked.place = 0"
    " WHERE $23::text IS NOT NULL ON CONFLICT DO NOTHING),"
    " unanswered AS (UPDATE messages SET status = $24::text FROM ended"
    " WHERE messages.job_id = ended.id AND messages.place = 0 AND $23::text IS NULL"
    " AND $24::text IS NOT NULL)"
    " SELECT count(*) FROM ended"};

/// The row is held until the commit, so that no other process ends the job in between.
constexpr Statement save_step_sql{
    "WITH job AS (SELECT ended_at FROM jobs WHERE id = $1 FOR NO KEY UPDATE),"
    " saved AS (INSERT INTO steps (job_id, step_index, input_hash, kind, output)"
    " SELECT $1, $2::integer, $3, $4, $5 WHERE NOT EXISTS (SELECT 1 FROM job WHERE ended_at IS NOT "
    "NULL)"
    " ON CONFLICT DO NOTHING)"
    " SELECT 1 FROM job WHERE ended_at IS NOT NULL"};

/// Nothing for a job that lives, or whose end is none of those to be told.
constexpr Statement webhook_sql{
    "INSERT INTO webhook_deliveries (job_id, tenant, url, host, ended_as, state, claims, tries,"
    " created_at, queued_at, due) SELECT id, tenant, $2, $3, state, 0, 0, 0, ended_at, $5, $5"
    " FROM jobs WHERE id = $1 AND ended_at IS NOT NULL AND (($4::integer >> state) & 1) = 1"
    " ON CONFLICT DO NOTHING"};

constexpr Statement probe_sql{"UPDATE store SET probes = probes + 1"};

constexpr Statement want_cancel_sql{
    "UPDATE jobs SET cancel_wanted = 1"
    " WHERE id = $1 AND tenant = $2 AND cancel_wanted = 0 AND ended_at IS NULL"};

constexpr Statement redact_sql{
    "WITH redacted AS (UPDATE jobs SET unkept = 0, envelope = $3, answer = NULL,"
    " tool_calls = NULL, asides = NULL WHERE id = $1 AND tenant = $2 AND ended_at IS NOT NULL "
    "RETURNING id)"
    " DELETE FROM steps WHERE job_id IN (SELECT id FROM redacted)"};

constexpr Statement mark_unkept_sql{
    "UPDATE jobs SET unkept = 1 WHERE id = $1 AND ended_at IS NOT NULL AND ($2::integer = 0 OR NOT"
    " EXISTS (SELECT 1 FROM messages WHERE job_id = $1 AND place = 0))"};

#define MILLRACE_JOB_COLUMNS                                                                  \
  "id, tenant, kind, session, model, envelope, fingerprint, state, cancel_wanted, attempts, " \
  "created_at, started_at, ended_at, deadline, answer, finish_reason, answered_by, usage, "   \
  "error_code, error_message, retryable, tool_calls, asides"
constexpr Statement count_live_sql{
    "SELECT count(*) FROM (SELECT 1 FROM jobs WHERE tenant = $1 AND state < 3 LIMIT $2) AS live"};
constexpr Statement find_sql{"SELECT " MILLRACE_JOB_COLUMNS " FROM jobs WHERE id = $1"};
constexpr const char* list_sql = "SELECT " MILLRACE_JOB_COLUMNS " FROM jobs WHERE tenant = $1";
constexpr Statement unkept_sql{
    "SELECT " MILLRACE_JOB_COLUMNS
    " FROM jobs WHERE unkept = 1 AND ended_at < $1 ORDER BY ended_at LIMIT $2"};
#undef MILLRACE_JOB_COLUMNS
#undef MILLRACE_ACCEPTED

constexpr Statement steps_sql{
    "SELECT step_index, kind, input_hash, output FROM steps WHERE job_id = $1"
    " ORDER BY step_index"};

Params row_params(const JobRow& row) {
  Params params;
  params.add(row.id()).add(row.tenant()).add(row.kind()).add(row.session()).add(row.model());
  params.add(row.created_at_ms()).add(row.deadline_ms());
  params.add(row.fingerprint()).add(row.envelope());
  return params;
}

void add_outcome(Params& params, const Outcome& outcome, WallTime now) {
  params.add(static_cast<std::int64_t>(outcome.state)).add(now).add(outcome.text);
  params.add(outcome.finish_reason).add(outcome.model).add(outcome.usage);
  params.add(outcome.error_code).add(outcome.error_message).add(outcome.retryable ? 1 : 0);
}

void add_step(Params& params, const Step* step) {
  if (step)
    params.add(step->index).add(step->input_hash).add(step->kind).add(step->output);
  else
    params.add_null().add_null().add_null().add_null();
}

void add_answer(Params& params, const JobRow& row, const Outcome& outcome) {
  if (row.session().empty())
    params.add_null().add_null();
  else if (leaves_answer(outcome))
    params.add(answer_id(row.id())).add(answer_status(outcome.state));
  else
    params.add_null().add(answer_status(outcome.state));
}

std::string calls_json(const std::vector<ToolCall>& calls) {
  std::string json;
  if (!calls.empty()) append_tool_calls(json, calls);
  return json;
}

Outcome read_outcome(const Rows& rows, std::size_t row, JobState state) {
  return Outcome{.state = state,
                 .text = rows.text(row, 14),
                 .finish_reason = rows.text(row, 15),
                 .model = rows.text(row, 16),
                 .usage = rows.text(row, 17),
                 .tool_calls = read_tool_calls(rows.text(row, 21)),
                 .asides = read_asides(rows.text(row, 22)),
                 .error_code = rows.text(row, 18),
                 .error_message = rows.text(row, 19),
                 .retryable = rows.number(row, 20) != 0};
}

Result<StoredJob> read_job(const Rows& rows, std::size_t row) {
  StoredJob job;
  const auto id = rows.id(row, 0);
  const auto state = rows.number(row, 7);
  if (!id || state < 0 || state > static_cast<std::int64_t>(JobState::expired))
    return Failure(Errc::corrupt);
  job.id = *id;
  job.tenant = rows.text(row, 1);
  job.kind = rows.text(row, 2);
  job.session = rows.text(row, 3);
  job.model = rows.text(row, 4);
  job.envelope = rows.text(row, 5);
  job.fingerprint = rows.text(row, 6);
  job.state = static_cast<JobState>(state);
  job.cancel_wanted = rows.number(row, 8) != 0;
  job.attempts = static_cast<std::uint32_t>(rows.number(row, 9));
  job.created_at = rows.time(row, 10);
  job.started_at = rows.time_or_none(row, 11);
  job.ended_at = rows.time_or_none(row, 12);
  job.deadline = rows.time(row, 13);
  if (terminal(job.state)) job.outcome = read_outcome(rows, row, job.state);
  return job;
}

std::string numbered(const Params& params) {
  return "$" + std::to_string(params.size());
}

/// The question and its parameters, which are as many as the filter narrows.
std::string list_text(const JobFilter& filter, std::optional<WallTime> before, Params& params) {
  std::string sql = list_sql;
  params.add(filter.tenant);
  if (!filter.session.empty()) {
    params.add(filter.session);
    // The index by session holds only jobs that have one, and is used only when this is said.
    sql += " AND session = " + numbered(params) + " AND session <> ''";
  }
  if (!filter.kind.empty()) sql += " AND kind = " + numbered(params.add(filter.kind));
  if (filter.state)
    sql += " AND state = " + numbered(params.add(static_cast<std::int64_t>(*filter.state)));
  if (before) {
    sql += " AND (created_at, id) < (" + numbered(params.add(*before));
    sql += ", " + numbered(params.add(*filter.after)) + ")";
  }
  return sql += " ORDER BY created_at DESC, id DESC LIMIT " +
                numbered(params.add(static_cast<std::int64_t>(filter.limit)));
}

Result<> done(const Result<Rows>& answer) {
  if (!answer) return Failure(answer.error());
  return {};
}

}  // namespace

Task<Result<>> JobTable::note(const JobRow& row, WallTime now) {
  const auto noted = co_await connection_.run(note_sql, row_params(row));
  if (!noted) co_return Failure(noted.error());
  co_return co_await queue_webhook(row, now);
}

Task<Result<>> JobTable::begin(const JobRow& row, std::uint32_t attempt, WallTime now) {
  const auto begun = co_await connection_.run(begin_sql, row_params(row).add(attempt).add(now));
  if (!begun) co_return Failure(begun.error());
  co_return co_await queue_webhook(row, now);
}

Task<Result<>> JobTable::queue_webhook(const JobRow& row, WallTime now) {
  const auto webhook = webhook_in(row.envelope());
  if (!webhook) co_return Result<>();
  Params params;
  params.add(row.id()).add(webhook->url).add(webhook_host(webhook->url));
  params.add(webhook->ends).add(now);
  const auto queued = co_await connection_.run(webhook_sql, params);
  co_return done(queued);
}

Task<Result<>> JobTable::save_step(const JobId& id, const Step& step) {
  Params params;
  params.add(id);
  add_step(params, &step);
  const auto ended = co_await connection_.run(save_step_sql, params);
  if (!ended) co_return Failure(ended.error());
  if (!ended->empty()) co_return Failure(Errc::fenced);
  co_return Result<>();
}

Task<Result<Finished>> JobTable::finish(const JobRow& row, const Outcome& outcome,
                                        const AnswerNote& said, const Step* step, WallTime now) {
  Params params = row_params(row);
  add_outcome(params, outcome, now);
  add_step(params, step);
  add_answer(params, row, outcome);
  params.add(calls_json(outcome.tool_calls)).add(said.tools_used).add(said.cost);
  params.add(to_json(outcome.asides));
  const auto ended = co_await connection_.run(finish_sql, params);
  if (!ended) co_return Failure(ended.error());
  const auto told = co_await queue_webhook(row, now);
  if (!told) co_return Failure(told.error());
  if (ended->number(0, 0) > 0) {
    const auto marked = co_await mark_unkept(row);
    if (!marked) co_return Failure(marked.error());
    co_return Finished{.first = true, .outcome = outcome};
  }
  auto standing = co_await find(row.id());
  // Ended and removed in between: nothing stands, so this may not say that it was the first.
  if (!standing && standing.error() == Errc::not_found) co_return Failure(Errc::unavailable);
  if (!standing) co_return Failure(standing.error());
  if (!standing->outcome) co_return Failure(Errc::corrupt);
  co_return Finished{.first = false, .outcome = std::move(*standing->outcome)};
}

Task<Result<StoredJob>> JobTable::want_cancel(const std::string& tenant, const JobId& id) {
  const auto wished = co_await connection_.run(want_cancel_sql, Params().add(id).add(tenant));
  if (!wished) co_return Failure(wished.error());
  co_return co_await find(tenant, id);
}

Task<Result<>> JobTable::redact(const JobRow& row) {
  const auto redacted = co_await connection_.run(
      redact_sql, Params().add(row.id()).add(row.tenant()).add(row.envelope()));
  co_return done(redacted);
}

Task<Result<>> JobTable::mark_unkept(const JobRow& row) {
  if (row.kept() && !row.is_turn()) co_return Result<>();
  const auto marked = co_await connection_.run(
      mark_unkept_sql, Params().add(row.id()).add(std::int64_t{row.kept() ? 1 : 0}));
  co_return done(marked);
}

Task<Result<std::vector<StoredJob>>> JobTable::unkept(WallTime ended_before, std::uint32_t limit) {
  const auto rows = co_await connection_.run(
      unkept_sql, Params().add(ended_before).add(static_cast<std::int64_t>(limit)));
  if (!rows) co_return Failure(rows.error());
  co_return all_of<StoredJob>(*rows, read_job);
}

Task<Result<>> JobTable::probe() {
  const auto probed = co_await connection_.run(probe_sql, {});
  co_return done(probed);
}

Task<Result<std::uint64_t>> JobTable::count_live(const std::string& tenant, std::uint64_t most) {
  const auto rows = co_await connection_.run(
      count_live_sql, Params().add(tenant).add(static_cast<std::int64_t>(most)));
  if (!rows) co_return Failure(rows.error());
  co_return static_cast<std::uint64_t>(rows->number(0, 0));
}

Task<Result<StoredJob>> JobTable::find(const JobId& id) {
  const auto rows = co_await connection_.run(find_sql, Params().add(id));
  if (!rows) co_return Failure(rows.error());
  if (rows->empty()) co_return Failure(Errc::not_found);
  co_return read_job(*rows, 0);
}

Task<Result<StoredJob>> JobTable::find(const std::string& tenant, const JobId& id) {
  auto job = co_await find(id);
  if (job && job->tenant != tenant) co_return Failure(Errc::not_found);
  co_return job;
}

Task<Result<BegunJob>> JobTable::read_begun(const JobId& id) {
  // Both leave together.
  auto find = connection_.run(find_sql, Params().add(id));
  auto find_steps = connection_.run(steps_sql, Params().add(id));
  const auto rows = co_await std::move(find);
  if (!rows) co_return Failure(rows.error());
  const auto steps = co_await std::move(find_steps);
  if (!steps) co_return Failure(steps.error());
  BegunJob begun;
  if (!rows->empty()) {
    auto job = read_job(*rows, 0);
    if (!job) co_return Failure(job.error());
    begun.job = std::move(*job);
  }
  for (std::size_t i = 0; i < steps->size(); ++i)
    begun.steps.push_back({.index = static_cast<std::uint32_t>(steps->number(i, 0)),
                           .kind = steps->text(i, 1),
                           .input_hash = steps->text(i, 2),
                           .output = steps->text(i, 3)});
  co_return begun;
}

Task<Result<std::vector<StoredJob>>> JobTable::list(const JobFilter& filter) {
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
  co_return all_of<StoredJob>(*rows, read_job);
}

}  // namespace millrace::postgres
