#include "ops/data/backup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <vector>

#include "ops/data/archive.h"
#include "ops/data/backup_names.h"
#include "ops/data/failure.h"
#include "shared/sqlite/copy.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;
using disk::File;

/// Not over what is there, where the file system can say so.
bool renamed(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  return errno == EINVAL && ::rename(from.c_str(), to.c_str()) == 0;
}

/// A file that goes when this does, unless it was kept.
class Unfinished {
 public:
  explicit Unfinished(std::string path) : path_(std::move(path)) {}
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  ~Unfinished() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }

  const std::string& path() const { return path_; }

  /// Durably, under its name; nothing that is there is written over.
  void keep_as(const std::string& name) {
    const auto folder = fs::absolute(name).parent_path();
    const File directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!renamed(path_, name)) throw failure(name + " cannot be made");
    path_.clear();
    if (!directory || ::fsync(directory.fd()) != 0) throw failure(folder.string());
  }

 private:
  std::string path_;
};

/// False once another backup has put the file that was opened there in its place, or removed it.
bool still_named(const File& file, const std::string& path) {
  struct stat opened{}, there{};
  return ::fstat(file.fd(), &opened) == 0 && ::lstat(path.c_str(), &there) == 0 &&
         opened.st_dev == there.st_dev && opened.st_ino == there.st_ino;
}

/// An empty file of the owner alone, held against another backup of that name.
File begun(const std::string& path) {
  for (;;) {
    File file(::open(path.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) throw failure(path + " cannot be made");
    if (::flock(file.fd(), LOCK_EX | LOCK_NB) != 0)
      throw std::runtime_error("another backup writes " + path);
    if (!still_named(file, path)) continue;
    if (::ftruncate(file.fd(), 0) != 0) throw failure(path);
    return file;
  }
}

/// The files of a folder, by name; none where it is not there. Throws when it cannot be read: a
/// backup must not lack what only the eye could not see.
std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code failed;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed))
    names.push_back(at->path().filename().string());
  const bool none =
      failed == std::errc::no_such_file_or_directory || failed == std::errc::not_a_directory;
  if (failed && !none)
    throw std::runtime_error("cannot read " + folder.string() + ": " + failed.message());
  std::ranges::sort(names);
  return names;
}

class Backup {
 public:
  Backup(const KeptAt& kept, ArchiveWriter& archive, const TellProgress& tell)
      : kept_(kept), archive_(archive), tell_(tell) {}

  BackedUp write(WallTime now, const std::string& copy) {
    archive_.add(backup_names::about, backup_names::about_text(now));
    add(kept_.data + "/secret", backup_names::secret);
    add_events();
    add_database(copy);
    add_objects();
    archive_.finish();
    done_.bytes = archive_.bytes();
    return done_;
  }

 private:
  /// False for a file that is not there: what has expired may go at any time.
  bool add(const std::string& path, const std::string& name) {
    const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file && errno == ENOENT) return false;
    if (!file) throw failure(path + " cannot be read");
    archive_.add(name, file, file.size());
    return true;
  }

  /// The oldest segment first, and again until no new one has come: what moves from one to another
  /// moves to a newer one, and is met there.
  void add_events() {
    const std::string folder = kept_.data + "/events/";
    add(folder + "store", backup_names::events + "store");
    std::set<std::string> seen;
    for (bool more = true; more;) {
      more = false;
      for (const auto& name : names_in(folder)) {
        const std::string in_archive = backup_names::events + name;
        if (!backup_names::segment(in_archive) || !seen.insert(name).second) continue;
        more = true;
        tell_(fmt::format("events: segment {}", name));
        done_.segments += add(folder + name, in_archive) ? 1 : 0;
      }
    }
  }

  void add_database(const std::string& copy) {
    tell_("the store");
    if (const auto copied = sqlite::copy_database(kept_.database, copy); !copied)
      throw std::runtime_error(copied.error());
    add(copy, backup_names::database);
  }

  void add_objects() {
    const std::string folder = kept_.data + "/objects/";
    for (const auto& place : names_in(folder)) {
      for (const auto& name : names_in(folder + place)) {
        const std::string path = place + "/" + name;
        const std::string in_archive = backup_names::objects + path;
        if (!backup_names::object(in_archive)) continue;
        if (done_.objects % 100 == 0) tell_(fmt::format("objects: {}", done_.objects));
        done_.objects += add(folder + path, in_archive) ? 1 : 0;
      }
    }
  }

  const KeptAt& kept_;
  ArchiveWriter& archive_;
  const TellProgress& tell_;
  BackedUp done_;
};

}  // namespace

BackedUp back_up(const KeptAt& kept, const std::string& file, WallTime now,
                 const TellProgress& tell) {
  std::error_code unknown;
  if (!fs::exists(kept.database, unknown))
    throw std::runtime_error("there is no store " + kept.database +
                             ": MILLRACE_DATA (--data) names the data folder");
  const auto refuse_what_is_there = [&] {
    if (fs::exists(file, unknown))
      throw std::runtime_error(file + " is there already: name another file");
  };
  refuse_what_is_there();
  // Held until the names are gone, so that whoever holds it next has files of its own.
  ArchiveWriter archive(begun(file + ".unfinished"), now);
  Unfinished archive_file(file + ".unfinished");
  refuse_what_is_there();  // put there by the backup that held the name until now
  const Unfinished copy(file + ".unfinished-db");
  begun(copy.path());
  const auto done = Backup(kept, archive, tell).write(now, copy.path());
  archive_file.keep_as(file);
  return done;
}

}  // namespace millrace
