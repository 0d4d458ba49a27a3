#include "shared/sqlite/job_table.h"

#include "shared/contract/webhook.h"
#include "shared/sessions.h"

namespace millrace::sqlite {
namespace {

constexpr const char* note_sql =
    "INSERT INTO jobs (id, tenant, kind, session, model, created_at, deadline, fingerprint,"
    " envelope, state, cancel_wanted, attempts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0)"
    " ON CONFLICT (id) DO UPDATE SET fingerprint = excluded.fingerprint"
    " WHERE jobs.fingerprint = '' AND excluded.fingerprint <> ''";

constexpr const char* begin_sql =
    "UPDATE jobs SET state = 1, attempts = max(attempts, ?2), started_at = coalesce(started_at, ?3)"
    " WHERE id = ?1 AND ended_at IS NULL";

constexpr const char* insert_begun_sql =
    "INSERT INTO jobs (id, tenant, kind, session, model, created_at, deadline, fingerprint,"
    " envelope, state, cancel_wanted, attempts, started_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 0, ?, ?) ON CONFLICT (id) DO NOTHING";

constexpr const char* finish_sql =
    "UPDATE jobs SET state = ?2, ended_at = ?3, answer = ?4, finish_reason = ?5, answered_by = ?6,"
    " usage = ?7, error_code = ?8, error_message = ?9, retryable = ?10,"
    " tool_calls = ?11, asides = ?12"
    " WHERE id = ?1 AND ended_at IS NULL";

constexpr const char* insert_ended_sql =
    "INSERT INTO jobs (id, tenant, kind, session, model, created_at, deadline, fingerprint,"
    " envelope, cancel_wanted, attempts, state, ended_at, answer, finish_reason, answered_by,"
    " usage, error_code, error_message, retryable, tool_calls, asides)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

constexpr const char* insert_step_sql =
    "INSERT INTO steps (job_id, step_index, input_hash, kind, output) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT DO NOTHING";

// `status` as Message has it. A job that had nothing to say when it was ended leaves no answer.
constexpr const char* answer_sql =
    "INSERT INTO messages (tenant, session_id, turn, place, message_id, role, content, status,"
    " created_at, token_usage, job_id, model, tools_used, cost) SELECT tenant, session_id, turn, 1,"
    " ?2, 'assistant', ?3, ?4, ?5, ?6, job_id, ?7, ?8, nullif(?9, '') FROM messages"
    " WHERE job_id = ?1 AND place = 0"
    " ON CONFLICT DO NOTHING";

constexpr const char* unanswered_sql =
    "UPDATE messages SET status = ?2 WHERE job_id = ?1 AND place = 0";

// Nothing for a job that lives, or whose end is none of those to be told.
constexpr const char* webhook_sql =
    "INSERT INTO webhook_deliveries (job_id, tenant, url, host, ended_as, state, claims, tries,"
    " created_at, queued_at, due) SELECT id, tenant, ?2, ?3, state, 0, 0, 0, ended_at, ?5, ?5"
    " FROM jobs WHERE id = ?1 AND ended_at IS NOT NULL AND ((?4 >> state) & 1) = 1"
    " ON CONFLICT DO NOTHING";

constexpr const char* ended_sql = "SELECT 1 FROM jobs WHERE id = ? AND ended_at IS NOT NULL";

constexpr const char* want_cancel_sql =
    "UPDATE jobs SET cancel_wanted = 1"
    " WHERE id = ? AND tenant = ? AND cancel_wanted = 0 AND ended_at IS NULL";

constexpr const char* redact_sql =
    "UPDATE jobs SET unkept = 0, envelope = ?3, answer = NULL, tool_calls = NULL, asides = NULL"
    " WHERE id = ?1 AND tenant = ?2 AND ended_at IS NOT NULL";
constexpr const char* drop_steps_sql = "DELETE FROM steps WHERE job_id = ?";

constexpr const char* mark_unkept_sql =
    "UPDATE jobs SET unkept = 1 WHERE id = ?1 AND (?2 = 0 OR NOT EXISTS"
    " (SELECT 1 FROM messages WHERE job_id = ?1 AND place = 0))";

#define MILLRACE_JOB_COLUMNS                                                                  \
  "id, tenant, kind, session, model, envelope, fingerprint, state, cancel_wanted, attempts, " \
  "created_at, started_at, ended_at, deadline, answer, finish_reason, answered_by, usage, "   \
  "error_code, error_message, retryable, tool_calls, asides"
constexpr const char* count_live_sql =
    "SELECT count(*) FROM (SELECT 1 FROM jobs WHERE tenant = ? AND state < 3 LIMIT ?)";
constexpr const char* find_sql = "SELECT " MILLRACE_JOB_COLUMNS " FROM jobs WHERE id = ?";
constexpr const char* list_sql = "SELECT " MILLRACE_JOB_COLUMNS " FROM jobs WHERE tenant = ?";
constexpr const char* unkept_sql =
    "SELECT " MILLRACE_JOB_COLUMNS
    " FROM jobs WHERE unkept = 1 AND ended_at < ? ORDER BY ended_at LIMIT ?";
#undef MILLRACE_JOB_COLUMNS

constexpr const char* steps_sql =
    "SELECT step_index, kind, input_hash, output FROM steps WHERE job_id = ? ORDER BY step_index";

void bind_row(Query& query, const JobRow& row) {
  query.bind(row.id().bytes).bind(row.tenant()).bind(row.kind()).bind(row.session());
  query.bind(row.model()).bind(row.created_at_ms()).bind(row.deadline_ms());
  query.bind(row.fingerprint()).bind(row.envelope());
}

std::string calls_json(const std::vector<ToolCall>& calls) {
  std::string json;
  if (!calls.empty()) append_tool_calls(json, calls);
  return json;
}

/// What of an outcome is kept as JSON; it outlives the query.
struct OutcomeJson {
  explicit OutcomeJson(const Outcome& outcome)
      : calls(calls_json(outcome.tool_calls)), asides(to_json(outcome.asides)) {}
  std::string calls;
  std::string asides;
};

void bind_outcome(Query& query, const Outcome& outcome, const OutcomeJson& json, WallTime now) {
  query.bind(static_cast<std::int64_t>(outcome.state)).bind(now).bind(outcome.text);
  query.bind(outcome.finish_reason).bind(outcome.model).bind(outcome.usage);
  query.bind(outcome.error_code).bind(outcome.error_message).bind(outcome.retryable ? 1 : 0);
  query.bind(json.calls).bind(json.asides);
}

Outcome read_outcome(const Query& query, JobState state) {
  return Outcome{.state = state,
                 .text = query.text(14),
                 .finish_reason = query.text(15),
                 .model = query.text(16),
                 .usage = query.text(17),
                 .tool_calls = read_tool_calls(query.text(21)),
                 .asides = read_asides(query.text(22)),
                 .error_code = query.text(18),
                 .error_message = query.text(19),
                 .retryable = query.number(20) != 0};
}

Result<StoredJob> read_job(const Query& query) {
  StoredJob job;
  const auto id = query.bytes(0);
  const auto state = query.number(7);
  if (id.size() != job.id.bytes.size() || state < 0 ||
      state > static_cast<std::int64_t>(JobState::expired))
    return Failure(Errc::corrupt);
  std::copy(id.begin(), id.end(), job.id.bytes.begin());
  job.tenant = query.text(1);
  job.kind = query.text(2);
  job.session = query.text(3);
  job.model = query.text(4);
  job.envelope = query.text(5);
  job.fingerprint = query.text(6);
  job.state = static_cast<JobState>(state);
  job.cancel_wanted = query.number(8) != 0;
  job.attempts = static_cast<std::uint32_t>(query.number(9));
  job.created_at = query.time(10);
  job.started_at = query.time_or_none(11);
  job.ended_at = query.time_or_none(12);
  job.deadline = query.time(13);
  if (terminal(job.state)) job.outcome = read_outcome(query, job.state);
  return job;
}

std::string list_text(const JobFilter& filter) {
  std::string sql = list_sql;
  // The index by session holds only jobs that have one, and is used only when this is said.
  if (!filter.session.empty()) sql += " AND session = ? AND session <> ''";
  if (!filter.kind.empty()) sql += " AND kind = ?";
  if (filter.state) sql += " AND state = ?";
  if (filter.after) sql += " AND (created_at, id) < (?, ?)";
  return sql += " ORDER BY created_at DESC, id DESC LIMIT ?";
}

}  // namespace

JobTable::JobTable(Database& database)
    : database_(database),
      note_(note_sql),
      begin_(begin_sql),
      insert_begun_(insert_begun_sql),
      finish_(finish_sql),
      insert_ended_(insert_ended_sql),
      insert_step_(insert_step_sql),
      answer_(answer_sql),
      unanswered_(unanswered_sql),
      webhook_(webhook_sql),
      ended_(ended_sql),
      want_cancel_(want_cancel_sql),
      redact_(redact_sql),
      drop_steps_(drop_steps_sql),
      mark_unkept_(mark_unkept_sql),
      unkept_(unkept_sql),
      find_(find_sql),
      count_live_(count_live_sql),
      steps_(steps_sql) {}

Result<> JobTable::note(const JobRow& row, WallTime now) {
  {
    auto query = note_.on(database_);
    bind_row(query, row);
    if (const auto done = query.finish(); !done) return done;
  }
  return queue_webhook(row, now);
}

Result<> JobTable::begin(const JobRow& row, std::uint32_t attempt, WallTime now) {
  {
    auto update = begin_.on(database_);
    const auto done = update.bind(row.id().bytes).bind(attempt).bind(now).finish();
    if (!done) return done;
    if (database_.changes() > 0) return {};
  }
  {
    auto insert = insert_begun_.on(database_);
    bind_row(insert, row);
    const auto done = insert.bind(attempt).bind(now).finish();
    if (!done) return done;
  }
  return queue_webhook(row, now);
}

Result<> JobTable::queue_webhook(const JobRow& row, WallTime now) {
  const auto webhook = webhook_in(row.envelope());
  if (!webhook) return {};
  const std::string host = webhook_host(webhook->url);
  auto insert = webhook_.on(database_);
  insert.bind(row.id().bytes).bind(webhook->url).bind(host);
  return insert.bind(webhook->ends).bind(now).finish();
}

Result<> JobTable::insert_step(const JobId& id, const Step& step) {
  auto insert = insert_step_.on(database_);
  insert.bind(id.bytes).bind(step.index).bind(step.input_hash).bind(step.kind).bind(step.output);
  return insert.finish();
}

Result<> JobTable::save_step(const JobId& id, const Step& step) {
  {
    auto ended = ended_.on(database_);
    const auto row = ended.bind(id.bytes).step();
    if (!row) return Failure(row.error());
    if (*row) return Failure(Errc::fenced);
  }
  return insert_step(id, step);
}

Result<bool> JobTable::set_outcome(const JobId& id, const Outcome& outcome, WallTime now) {
  const OutcomeJson json(outcome);
  auto update = finish_.on(database_);
  update.bind(id.bytes);
  bind_outcome(update, outcome, json, now);
  if (const auto done = update.finish(); !done) return Failure(done.error());
  return database_.changes() > 0;
}

Result<> JobTable::insert_ended(const JobRow& row, const Outcome& outcome, WallTime now) {
  const OutcomeJson json(outcome);
  auto insert = insert_ended_.on(database_);
  bind_row(insert, row);
  bind_outcome(insert, outcome, json, now);
  return insert.finish();
}

Result<> JobTable::insert_answer(const JobId& id, const Outcome& outcome, const AnswerNote& said,
                                 WallTime now) {
  const std::string message = answer_id(id);
  auto insert = answer_.on(database_);
  insert.bind(id.bytes).bind(message).bind(outcome.text).bind(answer_status(outcome.state));
  insert.bind(now).bind(outcome.usage).bind(outcome.model);
  return insert.bind(said.tools_used).bind(said.cost).finish();
}

Result<Finished> JobTable::finish(const JobRow& row, const Outcome& outcome, const AnswerNote& said,
                                  const Step* step, WallTime now) {
  const auto set = set_outcome(row.id(), outcome, now);
  if (!set) return Failure(set.error());
  if (!*set) {
    auto standing = find(row.id());
    if (standing) {
      if (const auto told = queue_webhook(row, now); !told) return Failure(told.error());
      return Finished{.first = false, .outcome = std::move(*standing->outcome)};
    }
    if (standing.error() != Errc::not_found) return Failure(standing.error());
    if (const auto made = insert_ended(row, outcome, now); !made) return Failure(made.error());
  }
  if (step) {
    if (const auto saved = insert_step(row.id(), *step); !saved) return Failure(saved.error());
  }
  if (!row.session().empty()) {
    const auto done = leaves_answer(outcome) ? insert_answer(row.id(), outcome, said, now)
                                             : unanswered_.on(database_)
                                                   .bind(row.id().bytes)
                                                   .bind(answer_status(outcome.state))
                                                   .finish();
    if (!done) return Failure(done.error());
  }
  if (const auto marked = mark_unkept(row); !marked) return Failure(marked.error());
  if (const auto told = queue_webhook(row, now); !told) return Failure(told.error());
  return Finished{.first = true, .outcome = outcome};
}

Result<StoredJob> JobTable::want_cancel(std::string_view tenant, const JobId& id) {
  {
    auto update = want_cancel_.on(database_);
    const auto done = update.bind(id.bytes).bind(tenant).finish();
    if (!done) return Failure(done.error());
  }
  return find(tenant, id);
}

Result<> JobTable::redact(const JobRow& row) {
  {
    auto update = redact_.on(database_);
    const auto done = update.bind(row.id().bytes).bind(row.tenant()).bind(row.envelope()).finish();
    if (!done || database_.changes() == 0) return done;
  }
  return drop_steps_.on(database_).bind(row.id().bytes).finish();
}

Result<> JobTable::mark_unkept(const JobRow& row) {
  if (row.kept() && !row.is_turn()) return {};
  return mark_unkept_.on(database_).bind(row.id().bytes).bind(row.kept() ? 1 : 0).finish();
}

Result<std::vector<StoredJob>> JobTable::unkept(WallTime ended_before, std::uint32_t limit) {
  auto query = unkept_.on(database_);
  query.bind(ended_before).bind(limit);
  return all_of<StoredJob>(query, read_job);
}

Result<> JobTable::probe() {
  return database_.run("UPDATE store SET probes = probes + 1");
}

Result<StoredJob> JobTable::find(const JobId& id) {
  auto query = find_.on(database_);
  const auto row = query.bind(id.bytes).step();
  if (!row) return Failure(row.error());
  if (!*row) return Failure(Errc::not_found);
  return read_job(query);
}

Result<std::uint64_t> JobTable::count_live(std::string_view tenant, std::uint64_t most) {
  auto query = count_live_.on(database_);
  const auto row = query.bind(tenant).bind(static_cast<std::int64_t>(most)).step();
  if (!row) return Failure(row.error());
  return static_cast<std::uint64_t>(query.number(0));
}

Result<StoredJob> JobTable::find(std::string_view tenant, const JobId& id) {
  auto job = find(id);
  if (job && job->tenant != tenant) return Failure(Errc::not_found);
  return job;
}

Result<std::vector<StoredJob>> JobTable::list(const JobFilter& filter) {
  WallTime before{};
  if (filter.after) {
    const auto last = find(filter.tenant, *filter.after);
    if (!last) return Failure(last.error());
    before = last->created_at;
  }
  const std::string sql = list_text(filter);
  Statement statement(sql.c_str());
  auto query = statement.on(database_);
  query.bind(filter.tenant);
  if (!filter.session.empty()) query.bind(filter.session);
  if (!filter.kind.empty()) query.bind(filter.kind);
  if (filter.state) query.bind(static_cast<std::int64_t>(*filter.state));
  if (filter.after) query.bind(before).bind(filter.after->bytes);
  query.bind(filter.limit);
  return all_of<StoredJob>(query, read_job);
}

Result<std::vector<Step>> JobTable::steps(const JobId& id) {
  auto query = steps_.on(database_);
  query.bind(id.bytes);
  std::vector<Step> steps;
  for (;;) {
    const auto row = query.step();
    if (!row) return Failure(row.error());
    if (!*row) return steps;
    steps.push_back({.index = static_cast<std::uint32_t>(query.number(0)),
                     .kind = query.text(1),
                     .input_hash = query.text(2),
                     .output = query.text(3)});
  }
}

Result<BegunJob> JobTable::read_begun(const JobId& id) {
  BegunJob begun;
  auto job = find(id);
  if (job)
    begun.job = std::move(*job);
  else if (job.error() != Errc::not_found)
    return Failure(job.error());
  auto kept = steps(id);
  if (!kept) return Failure(kept.error());
  begun.steps = std::move(*kept);
  return begun;
}

Result<std::string> JobTable::store_id() {
  Statement select("SELECT id FROM store");
  auto query = select.on(database_);
  const auto row = query.step();
  if (!row) return Failure(row.error());
  if (!*row) return Failure(Errc::corrupt);
  return query.text(0);
}

Result<> JobTable::check() {
  Statement quick_check("PRAGMA quick_check(1)");
  auto query = quick_check.on(database_);
  const auto row = query.step();
  if (!row) return Failure(row.error());
  if (!*row || query.text(0) != "ok") return Failure(Errc::corrupt);
  return {};
}

}  // namespace millrace::sqlite
