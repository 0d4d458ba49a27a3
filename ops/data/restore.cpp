#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "ops/data/archive.h"
#include "ops/data/backup.h"
#include "ops/data/backup_names.h"
#include "ops/data/data_folder.h"
#include "ops/data/failure.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;
using disk::File;

void sync_disk_of(const std::string& path) {
  const File at(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!at || ::syncfs(at.fd()) != 0) throw failure(path + " cannot be synced");
}

void sync_folder(const std::string& path) {
  const File folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.fd()) != 0) throw failure(path + " cannot be synced");
}

void append(const File& to, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const auto done = ::write(to.fd(), bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) throw failure(path + " cannot be written");
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
}

void move(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) throw failure(to + " cannot be put in place");
}

/// Where everything lies until all of it is there. While the folder is there, nobody starts
/// (DataFolder).
class Unpacked {
 public:
  explicit Unpacked(const KeptAt& into)
      : into_(into),
        folder_(into.data + "/" + DataFolder::unfinished_name),
        database_(into.database + ".unfinished") {
    if (::mkdir(folder_.c_str(), 0700) != 0) throw failure(folder_ + " cannot be made");
  }
  Unpacked(const Unpacked&) = delete;
  Unpacked& operator=(const Unpacked&) = delete;
  ~Unpacked() {
    if (placed_) return;
    std::error_code ignored;
    fs::remove(database_, ignored);
    fs::remove_all(folder_, ignored);
  }

  void take(const std::string& name, ArchiveReader& archive) {
    const std::string path = name == backup_names::database ? database_ : folder_ + "/" + name;
    fs::create_directories(fs::path(path).parent_path());
    const File file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file) throw failure(path + " cannot be made");
    archive.each([&](std::string_view piece) { append(file, piece, path); });
  }

  /// From here on a failure leaves what is there, and nobody starts on it.
  void place() {
    sync_disk_of(folder_);
    sync_disk_of(database_);
    placed_ = true;
    for (const auto& one : fs::directory_iterator(folder_))
      move(one.path().string(), into_.data + "/" + one.path().filename().string());
    move(database_, into_.database);
    sync_folder(fs::absolute(into_.database).parent_path());
    sync_folder(into_.data);
    if (::rmdir(folder_.c_str()) != 0) throw failure(folder_ + " cannot be removed");
    sync_folder(into_.data);
  }

 private:
  const KeptAt& into_;
  const std::string folder_;
  const std::string database_;
  bool placed_ = false;
};

void refuse_what_is_there(const KeptAt& into) {
  for (const auto& one : fs::directory_iterator(into.data))
    if (one.path().filename() != DataFolder::lock_name)
      throw std::runtime_error("the data folder " + into.data + " is not empty (" +
                               one.path().filename().string() +
                               "): name an empty one by MILLRACE_DATA (--data)");
  if (fs::exists(into.database))
    throw std::runtime_error("the store " + into.database +
                             " is there already: name another by DATABASE_URL");
}

std::string begun(ArchiveReader& archive, const std::string& file) {
  const auto first = archive.next();
  const auto made_at = first && first->name == backup_names::about
                           ? backup_names::made_at(archive.text())
                           : std::nullopt;
  if (!made_at)
    throw std::runtime_error(file + " is no backup of this millrace, or of another version's form");
  return *made_at;
}

}  // namespace

Restored restore(const std::string& file, const KeptAt& into, const TellProgress& tell) {
  File opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened) throw failure(file + " cannot be read");
  ArchiveReader archive(std::move(opened));
  Restored done{.made_at = begun(archive, file)};
  const DataFolder held(into.data);
  refuse_what_is_there(into);
  Unpacked unpacked(into);
  bool database = false;
  while (const auto entry = archive.next()) {
    if (!backup_names::known(entry->name))
      throw std::runtime_error(file + " is damaged: it has a file " + entry->name);
    tell(fmt::format("{} files", done.files));
    unpacked.take(entry->name, archive);
    database = database || entry->name == backup_names::database;
    ++done.files;
  }
  if (!database) throw std::runtime_error(file + " is damaged: it has no store");
  tell("putting everything in its place");
  unpacked.place();
  return done;
}

}  // namespace millrace
