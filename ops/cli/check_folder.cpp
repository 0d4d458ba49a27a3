#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "ops/cli/checks.h"
#include "ops/data/data_folder.h"
#include "ops/roles/loop.h"
#include "shared/disk/folder.h"
#include "shared/postgres/postgres_store.h"
#include "shared/sqlite/examination.h"

namespace millrace::cli {
namespace {

using Verdict = Check::Verdict;

// A segment of events has 64 MB, the store's journal as much.
constexpr std::uint64_t room_needed = 256 * 1024 * 1024;
constexpr std::uint64_t room_wanted = std::uint64_t{2} << 30;
constexpr Duration sync_slow = 50ms;
constexpr std::size_t probe_bytes = 8192;

constexpr const char* other_folder =
    "give this user the right to write there, or name another folder by MILLRACE_DATA (--data)";

std::string mebibytes(std::uint64_t bytes) {
  return bytes >= room_wanted ? fmt::format("{:.1f} GiB", static_cast<double>(bytes) / (1 << 30))
                              : fmt::format("{} MiB", bytes >> 20);
}

/// The folder itself, or the nearest above it that is there.
std::filesystem::path standing(std::filesystem::path folder) {
  std::error_code unknown;
  folder = std::filesystem::absolute(folder);
  while (!std::filesystem::exists(folder, unknown) && folder.has_relative_path())
    folder = folder.parent_path();
  return folder;
}

/// Writes and syncs a file that is gone at once; 0 or the errno.
int probe(const std::filesystem::path& folder) {
  const auto name = folder / fmt::format(".millrace-doctor-{}", ::getpid());
  const disk::File file(::open(name.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
  if (!file) return errno;
  ::unlink(name.c_str());
  const std::string bytes(probe_bytes, '\0');
  if (::write(file.fd(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
    return errno;
  return ::fsync(file.fd()) == 0 ? 0 : errno;
}

Check writable(const std::string& folder) {
  const auto at = standing(folder);
  const Loop loop;
  const Instant began = loop.clock.now();
  const int failed = probe(at);
  const Duration took = loop.clock.now() - began;
  if (failed == ENOSPC)
    return {"data folder", Verdict::fail, folder + " is on a full disk", "make room on it"};
  if (failed != 0)
    return {"data folder", Verdict::fail,
            fmt::format("{} cannot be written: {}", at.string(), std::strerror(failed)),
            other_folder};
  const double ms = std::chrono::duration<double, std::milli>(took).count();
  const std::string how = fmt::format("{}; a write is synced in {:.1f} ms", folder, ms);
  if (took > sync_slow)
    return {"data folder", Verdict::warn, how + ", which every accepted job waits for",
            "use a faster disk, or one that is less busy"};
  const bool there = at == std::filesystem::absolute(folder);
  return {"data folder", Verdict::ok,
          there ? how : how + "; not there yet, the first start makes it"};
}

Check room(const std::string& folder) {
  struct statvfs found{};
  if (::statvfs(standing(folder).c_str(), &found) != 0)
    return {"disk space", Verdict::warn, std::string("unknown: ") + std::strerror(errno)};
  const std::uint64_t free = std::uint64_t{found.f_bavail} * found.f_frsize;
  Check check{"disk space", Verdict::ok, mebibytes(free) + " free"};
  if (free >= room_wanted) return check;
  check.verdict = free < room_needed ? Verdict::fail : Verdict::warn;
  check.remedy = "make room: jobs are refused (507) while the disk is full";
  return check;
}

Check lock(const std::string& folder) {
  const auto holder = DataFolder::holder(folder);
  return {"lock", Verdict::ok, holder ? "held by process " + *holder : "nobody has the folder"};
}

Check whole(const sqlite::Examination& found, const std::string& path) {
  if (!found.damage.empty())
    return {"store", Verdict::fail, path + " is damaged: " + found.damage.front(),
            "stop every millrace on it and restore a backup (millrace restore), or name another "
            "file by DATABASE_URL"};
  if (found.version == 0)
    return {"store", Verdict::warn, path + " has no tables of millrace",
            "check DATABASE_URL; a start, or `millrace migrate`, makes them"};
  if (found.version > found.newest)
    return {"store", Verdict::warn,
            fmt::format("{} is of version {}, newer than this build's {}", path, found.version,
                        found.newest),
            "run the newer millrace"};
  return {"store", Verdict::ok,
          fmt::format("{} is whole, version {}{}", path, found.version,
                      found.version < found.newest ? "; the next start migrates it" : "")};
}

}  // namespace

Checks check_data_folder(const Config& config) {
  Checks checks{writable(config.data), room(config.data)};
  if (embedded(config)) checks.push_back(lock(config.data));
  return checks;
}

Checks check_store(const Config& config) {
  if (postgres::is_url(config.database_url)) return check_postgres(config);
  const std::string& path = config.database_url;
  std::error_code unknown;
  if (!std::filesystem::exists(path, unknown)) {
    if (embedded(config))
      return {{"store", Verdict::ok, path + " is not there yet: the first start makes it"}};
    return {{"store", Verdict::fail, path + " is not there", "run `millrace migrate`"}};
  }
  const auto found = sqlite::examine(path);
  if (!found)
    return {{"store", Verdict::fail, found.error(), "check DATABASE_URL and who may read it"}};
  Check library{"sqlite", Verdict::ok, "version " + found->library};
  if (found->library_old) {
    library.verdict = Verdict::fail;
    library.remedy = "this build was made with a newer one: install that, or build here";
  }
  return {library, whole(*found, path)};
}

}  // namespace millrace::cli
