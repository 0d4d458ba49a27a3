#include "shared/sqlite/queue_table.h"

#include <algorithm>

namespace millrace::sqlite {
namespace {

// A job that was noted, begun or cancelled before it was queued has its row already.
constexpr const char* note_sql =
    "INSERT INTO jobs (id, tenant, kind, session, model, created_at, deadline, fingerprint,"
    " envelope, state, cancel_wanted, attempts, queue_seq)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, '', ?, 0, 0, 0, ?)"
    " ON CONFLICT (id) DO UPDATE SET queue_seq = excluded.queue_seq"
    " WHERE jobs.queue_seq IS NULL AND jobs.ended_at IS NULL";

constexpr const char* add_sql =
    "INSERT INTO queue (seq, job_id, lane, attempt, due, parked, begun)"
    " VALUES (?, ?, ?, 1, ?, ?, 0)";
constexpr const char* remove_sql = "DELETE FROM queue WHERE seq = ?";
constexpr const char* change_sql =
    "UPDATE queue SET attempt = ?2, due = ?3, parked = ?4, begun = ?5 WHERE seq = ?1";
constexpr const char* unpark_sql = "UPDATE queue SET parked = 0 WHERE seq = ?";

#define MILLRACE_QUEUE_ROWS "SELECT seq, job_id, lane, attempt, due, begun FROM queue "
constexpr const char* page_sql = MILLRACE_QUEUE_ROWS "WHERE seq > ? AND parked = 0 ORDER BY seq";
// The index of lanes holds only rows that have one, and is used only when this is said.
constexpr const char* lane_sql =
    MILLRACE_QUEUE_ROWS "WHERE lane = ? AND lane <> '' AND seq > ? ORDER BY seq";
constexpr const char* due_sql = MILLRACE_QUEUE_ROWS "WHERE parked = 1 AND due <= ? ORDER BY due";
#undef MILLRACE_QUEUE_ROWS
constexpr const char* next_due_sql = "SELECT min(due) FROM queue WHERE parked = 1 AND due > ?";
constexpr const char* envelope_sql = "SELECT envelope FROM jobs WHERE id = ?";

/// A page may look at rows of others in vain, but not for long: writers wait meanwhile.
constexpr std::size_t looks_a_page_max = 4096;

Result<QueueRow> read_row(const Query& query) {
  const auto id = query.id(1);
  if (!id) return Failure(Errc::corrupt);
  return QueueRow{.seq = query.number(0),
                  .job = *id,
                  .lane = query.text(2),
                  .attempt = static_cast<std::uint32_t>(query.number(3)),
                  .due = query.time(4),
                  .begun = query.number(5) != 0,
                  .envelope = std::nullopt};
}

}  // namespace

QueueTable::QueueTable(Database& database)
    : database_(database),
      note_(note_sql),
      add_(add_sql),
      remove_(remove_sql),
      change_(change_sql),
      unpark_(unpark_sql),
      page_(page_sql),
      lane_(lane_sql),
      due_(due_sql),
      next_due_(next_due_sql),
      envelope_(envelope_sql) {}

Result<bool> QueueTable::note(const Job& job, std::int64_t seq) {
  auto insert = note_.on(database_);
  insert.bind(job.id.bytes).bind(job.tenant).bind(job.kind).bind(job.session).bind(job.model);
  insert.bind(job.created_at).bind(job.deadline).bind(job.envelope).bind(seq);
  if (const auto done = insert.finish(); !done) return Failure(done.error());
  return database_.changes() > 0;
}

Result<bool> QueueTable::add(const Job& job, std::int64_t seq, std::string_view lane, bool parked) {
  const auto noted = note(job, seq);
  if (!noted || !*noted) return noted;
  auto insert = add_.on(database_);
  insert.bind(seq).bind(job.id.bytes).bind(lane);
  insert.bind(job.not_before.value_or(WallTime{})).bind(parked ? 1 : 0);
  if (const auto done = insert.finish(); !done) return Failure(done.error());
  return true;
}

Result<> QueueTable::remove(std::int64_t seq) {
  return remove_.on(database_).bind(seq).finish();
}

Result<> QueueTable::change(const QueueChange& change) {
  auto update = change_.on(database_);
  update.bind(change.seq).bind(change.attempt).bind(change.due);
  return update.bind(change.parked ? 1 : 0).bind(change.begun ? 1 : 0).finish();
}

Result<> QueueTable::unpark(std::int64_t seq) {
  return unpark_.on(database_).bind(seq).finish();
}

Result<std::optional<std::string>> QueueTable::envelope(const JobId& id) {
  auto query = envelope_.on(database_);
  const auto row = query.bind(id.bytes).step();
  if (!row) return Failure(row.error());
  if (!*row) return std::nullopt;
  return query.text(0);
}

Result<QueuePage> QueueTable::read(Query& query, Bounds bounds, const Mine& mine) {
  QueuePage page;
  std::size_t bytes = 0;
  for (std::size_t looks = 0; looks < looks_a_page_max; ++looks) {
    const auto found = query.step();
    if (!found) return Failure(found.error());
    if (!*found) {
      page.complete = true;
      break;
    }
    auto row = read_row(query);
    if (!row) return Failure(row.error());
    const bool wanted = !mine || mine(row->job, row->lane);
    if (wanted && (page.rows.size() >= bounds.rows || bytes >= bounds.bytes)) {
      page.next = row->due;
      break;
    }
    page.looked_to = row->seq;
    if (!wanted) continue;
    auto text = envelope(row->job);
    if (!text) return Failure(text.error());
    row->envelope = std::move(*text);
    bytes += row->envelope ? row->envelope->size() : 0;
    page.rows.push_back(std::move(*row));
  }
  return page;
}

Result<QueuePage> QueueTable::page(std::int64_t after, Bounds bounds, const Mine& mine) {
  auto query = page_.on(database_);
  query.bind(after);
  auto page = read(query, bounds, mine);
  if (page) page->looked_to = std::max(page->looked_to, after);
  return page;
}

Result<QueuePage> QueueTable::lane(std::string_view lane, std::int64_t after, Bounds bounds) {
  auto query = lane_.on(database_);
  query.bind(lane).bind(after);
  return read(query, bounds, {});
}

Result<QueuePage> QueueTable::due(WallTime now, Bounds bounds, const Mine& mine) {
  auto query = due_.on(database_);
  query.bind(now);
  auto page = read(query, bounds, mine);
  if (!page || !page->complete) return page;
  auto later = next_due_.on(database_);
  const auto row = later.bind(now).step();
  if (!row) return Failure(row.error());
  if (*row && !later.null(0)) page->next = later.time(0);
  return page;
}

Result<QueueTable::Extent> QueueTable::extent() {
  Statement count("SELECT count(*), coalesce(max(seq), 0) FROM queue");
  auto query = count.on(database_);
  const auto row = query.step();
  if (!row) return Failure(row.error());
  return Extent{.rows = query.number(0), .last = query.number(1)};
}

}  // namespace millrace::sqlite
