#include "shared/sqlite/database.h"

#include <sqlite3.h>

namespace millrace::sqlite {
namespace {

// The other process holds the write lock for one batch: a few milliseconds. SQLite's own handler
// backs off to 100 ms and so makes a busy neighbour look slow.
constexpr int busy_pause_ms = 1;
constexpr int busy_tries = 5'000;

/// Blocks a thread of the store, never a loop.
int wait_while_busy(void*, int tries) noexcept {
  if (tries >= busy_tries) return 0;
  sqlite3_sleep(busy_pause_ms);
  return 1;
}

// 8 KiB pages hold a dozen jobs each: 20 % less CPU a finish than 4 KiB (a job grows when its
// answer comes, and pages split). A checkpoint every 4,000 pages (32 MB) writes a hot page once
// where the default would write it four times.
constexpr const char* write_setup =
    "PRAGMA page_size=8192;"
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=FULL;"
    "PRAGMA wal_autocheckpoint=4000;"
    "PRAGMA journal_size_limit=67108864;"
    "PRAGMA cache_size=-32768;"
    "PRAGMA temp_store=MEMORY;";
constexpr const char* read_setup =
    "PRAGMA query_only=1;"
    "PRAGMA cache_size=-8192;"
    "PRAGMA temp_store=MEMORY;";

/// `why`: the errno that SQLite met, where it met one.
Errc errc_of(int code, int why) {
  // Written but not synced: until the next commit writes over it, a crash would bring it back.
  if (code == SQLITE_IOERR_FSYNC) return Errc::timed_out;
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Errc::corrupt;
    case SQLITE_FULL:
      return Errc::full;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      return refused_write(why);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_PROTOCOL:
    case SQLITE_INTERRUPT:
    case SQLITE_NOMEM:
      return Errc::unavailable;
    default:
      return Errc::invalid;
  }
}

int flags_of(Database::Mode mode) {
  if (mode == Database::Mode::look) return SQLITE_OPEN_READONLY;
  // A reader of a file in WAL mode writes to its index, and finishes what a crash left.
  return mode == Database::Mode::write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                                       : SQLITE_OPEN_READWRITE;
}

/// Before the first connection of the process: SQLite's count of its memory takes a lock at every
/// allocation, a tenth of what an insert costs.
void configure_library() {
  static const int done = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  (void)done;
}

}  // namespace

void Database::Close::operator()(sqlite3* handle) const noexcept {
  sqlite3_close_v2(handle);
}

Database::Database(std::string path, std::unique_ptr<sqlite3, Close> handle)
    : path_(std::move(path)), handle_(std::move(handle)) {}

std::expected<Database, Unopened> Database::open(const std::string& path, Mode mode) {
  configure_library();
  sqlite3* raw = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &raw, flags_of(mode) | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(path, std::unique_ptr<sqlite3, Close>(raw));
  if (code != SQLITE_OK)
    return std::unexpected(Unopened{errc_of(code, raw ? sqlite3_system_errno(raw) : 0),
                                    "the store " + path + " cannot be opened: " +
                                        (raw ? sqlite3_errmsg(raw) : sqlite3_errstr(code))});
  const auto configured = database.configure(mode);
  if (!configured) return std::unexpected(configured.error());
  return database;
}

std::expected<void, Unopened> Database::configure(Mode mode) {
  sqlite3_busy_handler(raw(), wait_while_busy, nullptr);
  sqlite3_extended_result_codes(raw(), 1);
  const int code = sqlite3_exec(raw(), mode == Mode::write ? write_setup : read_setup, nullptr,
                                nullptr, nullptr);
  if (code == SQLITE_OK) return {};
  const Errc error = errc_of(code, sqlite3_system_errno(raw()));
  const std::string words = sqlite3_errmsg(raw());
  if (error == Errc::corrupt)
    return std::unexpected(Unopened{error, "the store " + path_ +
                                               " is damaged or not an SQLite file (" + words +
                                               "); restore it from a backup or name another file"});
  return std::unexpected(Unopened{error, "the store " + path_ + " cannot be used: " + words});
}

Result<> Database::run(const char* sql) {
  const int code = sqlite3_exec(raw(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return Failure(fail(code, sql));
  return {};
}

std::int64_t Database::changes() const {
  return sqlite3_changes64(raw());
}

Errc Database::fail(int code, std::string_view statement) {
  failure_ = std::string(sqlite3_errmsg(raw())) + " (code " + std::to_string(code) + ") in: ";
  failure_ += statement.substr(0, 80);
  return errc_of(code, sqlite3_system_errno(raw()));
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const noexcept {
  sqlite3_finalize(statement);
}

Query Statement::on(Database& database) {
  int code = SQLITE_OK;
  if (!prepared_) {
    sqlite3_stmt* raw = nullptr;
    code = sqlite3_prepare_v3(database.raw(), sql_, -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
    prepared_.reset(raw);
  }
  return Query(database, prepared_.get(), code);
}

Query::Query(Database& database, sqlite3_stmt* statement, int prepared)
    : database_(database), statement_(statement), code_(prepared) {}

Query::~Query() {
  // Reset alone would leave the bound pointers, which the next binding overwrites before any use.
  if (statement_) sqlite3_reset(statement_);
}

Query& Query::bind(std::int64_t number) {
  if (code_ == SQLITE_OK) code_ = sqlite3_bind_int64(statement_, ++bound_, number);
  return *this;
}

Query& Query::bind(std::string_view text) {
  // A null pointer would bind NULL, and an empty view may hold one.
  const char* at = text.empty() ? "" : text.data();
  if (code_ == SQLITE_OK)
    code_ = sqlite3_bind_text64(statement_, ++bound_, at, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Query& Query::bind(std::span<const std::uint8_t> bytes) {
  if (code_ == SQLITE_OK)
    code_ = sqlite3_bind_blob64(statement_, ++bound_, bytes.data(), bytes.size(), SQLITE_STATIC);
  return *this;
}

Query& Query::bind(WallTime when) {
  return bind(std::int64_t{when.time_since_epoch().count()});
}

Result<bool> Query::step() {
  if (code_ == SQLITE_OK) code_ = sqlite3_step(statement_);
  if (code_ != SQLITE_ROW && code_ != SQLITE_DONE)
    return Failure(database_.fail(code_, statement_ ? sqlite3_sql(statement_) : "prepare"));
  const bool row = code_ == SQLITE_ROW;
  code_ = SQLITE_OK;
  return row;
}

Result<> Query::finish() {
  for (;;) {
    const auto row = step();
    if (!row) return Failure(row.error());
    if (!*row) return {};
  }
}

std::int64_t Query::number(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string Query::text(int column) const {
  const auto* at = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return at ? std::string(at, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)))
            : std::string();
}

std::span<const std::uint8_t> Query::bytes(int column) const {
  const auto* at = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
  return {at, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

WallTime Query::time(int column) const {
  return WallTime(std::chrono::milliseconds(number(column)));
}

std::optional<WallTime> Query::time_or_none(int column) const {
  if (null(column)) return std::nullopt;
  return time(column);
}

std::optional<JobId> Query::id(int column) const {
  JobId id;
  const auto blob = bytes(column);
  if (blob.size() != id.bytes.size()) return std::nullopt;
  std::ranges::copy(blob, id.bytes.begin());
  return id;
}

bool Query::null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

}  // namespace millrace::sqlite
