#include "shared/sqlite/copy.h"

#include <sqlite3.h>

#include <memory>

#include "shared/sqlite/examination.h"

namespace millrace::sqlite {
namespace {

constexpr int all_pages = -1;
constexpr int busy_pause_ms = 5;
constexpr int busy_tries = 1'000;

struct Close {
  void operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }
};
using Handle = std::unique_ptr<sqlite3, Close>;

Handle opened(const std::string& path, int how) {
  sqlite3* raw = nullptr;
  sqlite3_open_v2(path.c_str(), &raw, how, nullptr);
  return Handle(raw);
}

/// All pages in one step, which is one read transaction: in WAL mode it sees one moment and holds
/// up no writer. In several steps SQLite begins again whenever another process has written.
int copy_pages(sqlite3* from, sqlite3* to) {
  sqlite3_backup* const copy = sqlite3_backup_init(to, "main", from, "main");
  if (!copy) return sqlite3_errcode(to);
  int code = sqlite3_backup_step(copy, all_pages);
  for (int left = busy_tries; code == SQLITE_BUSY && left > 0; --left) {
    sqlite3_sleep(busy_pause_ms);
    code = sqlite3_backup_step(copy, all_pages);
  }
  sqlite3_backup_finish(copy);
  return code == SQLITE_DONE ? SQLITE_OK : code;
}

}  // namespace

std::expected<void, std::string> copy_database(const std::string& from, const std::string& to) {
  const auto source = opened(from, SQLITE_OPEN_READONLY);
  const auto copy = opened(to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  // Whoever asked for the copy syncs it, or throws it away.
  constexpr const char* plain = "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF";
  int code = sqlite3_exec(copy.get(), plain, nullptr, nullptr, nullptr);
  if (code == SQLITE_OK) code = copy_pages(source.get(), copy.get());
  // The copy says WAL of itself, as its source does; with this it needs no second file.
  constexpr const char* alone = "PRAGMA journal_mode=DELETE";
  if (code == SQLITE_OK) code = sqlite3_exec(copy.get(), alone, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK)
    return std::unexpected("the store " + from + " cannot be copied to " + to + ": " +
                           sqlite3_errstr(code));
  const auto found = examine(to);
  if (!found) return std::unexpected(found.error());
  if (!found->damage.empty())
    return std::unexpected("the store " + from + " is damaged: " + found->damage.front());
  return {};
}

}  // namespace millrace::sqlite
