#include "shared/disk/folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace millrace::disk {
namespace {

constexpr std::string_view segment_end = ".log";
constexpr std::string_view index_end = ".idx";
constexpr std::string_view unfinished_end = ".new";
constexpr std::string_view damaged_end = ".damaged";

std::string numbered(std::uint32_t number, std::string_view end) {
  std::string digits = std::to_string(number);
  return std::string(10 - std::min<std::size_t>(digits.size(), 10), '0').append(digits).append(end);
}

std::optional<std::uint32_t> number_of(std::string_view name, std::string_view end) {
  if (!name.ends_with(end)) return std::nullopt;
  name.remove_suffix(end.size());
  std::uint32_t number = 0;
  const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || stop != name.data() + name.size()) return std::nullopt;
  return number;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

File::~File() {
  if (fd_ >= 0) ::close(fd_);
}

Result<> File::read(std::string& out, std::uint64_t offset, std::size_t size,
                    Patience patience) const {
  const std::size_t before = out.size();
  out.resize(before + size);
  std::size_t done = 0;
  while (done < size) {
    const iovec into{.iov_base = out.data() + before + done, .iov_len = size - done};
    const auto got = ::preadv2(fd_, &into, 1, static_cast<off_t>(offset + done),
                               patience == Patience::none ? RWF_NOWAIT : 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      // Not in the page cache, or a file system that does not say.
      const bool waits = got < 0 && (errno == EAGAIN || errno == EOPNOTSUPP);
      out.resize(before);
      return Failure(waits ? Errc::timed_out : Errc::corrupt);
    }
    done += static_cast<std::size_t>(got);
  }
  return {};
}

std::uint64_t File::size() const {
  struct stat found{};
  return ::fstat(fd_, &found) == 0 ? static_cast<std::uint64_t>(found.st_size) : 0;
}

Folder::Folder(std::string path) : path_(std::move(path)) {
  std::error_code failed;
  std::filesystem::create_directories(path_, failed);
  directory_ = File(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory_)
    throw std::runtime_error("cannot use the folder of events " + path_ + ": " +
                             std::strerror(errno));
  if (::flock(directory_.fd(), LOCK_EX | LOCK_NB) != 0)
    throw std::runtime_error("the folder of events " + path_ +
                             " is held by another process: stop it, or name another folder");
}

std::string Folder::segment_name(std::uint32_t number) {
  return numbered(number, segment_end);
}

std::string Folder::index_name(std::uint32_t number) {
  return numbered(number, index_end);
}

std::vector<std::uint32_t> Folder::tidy_and_list() const {
  std::vector<std::uint32_t> segments;
  std::vector<std::uint32_t> indexes;
  std::error_code failed;
  std::vector<std::string> left_over;
  for (const auto& found : std::filesystem::directory_iterator(path_, failed)) {
    const std::string name = found.path().filename().string();
    if (const auto segment = number_of(name, segment_end)) segments.push_back(*segment);
    if (const auto index = number_of(name, index_end)) indexes.push_back(*index);
    if (name.ends_with(unfinished_end)) left_over.push_back(name);
  }
  std::ranges::sort(segments);
  for (const auto& name : left_over) remove(name);
  for (const auto index : indexes)
    if (!std::ranges::binary_search(segments, index)) remove(index_name(index));
  return segments;
}

File Folder::open(const std::string& name) const {
  return File(::openat(directory_.fd(), name.c_str(), O_RDONLY | O_CLOEXEC));
}

File Folder::create(const std::string& name) const {
  return File(::openat(directory_.fd(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
}

File Folder::open_to_write(const std::string& name) const {
  return File(::openat(directory_.fd(), name.c_str(), O_RDWR | O_CLOEXEC));
}

std::optional<std::string> Folder::read_all(const std::string& name) const {
  const File file = open(name);
  std::string text;
  if (!file || !file.read(text, 0, file.size())) return std::nullopt;
  return text;
}

bool Folder::replace(const std::string& name, std::string_view text) const {
  const std::string unfinished = name + std::string(unfinished_end);
  remove(unfinished);
  const File file = create(unfinished);
  if (!file || !write_all(file.fd(), text) || ::fdatasync(file.fd()) != 0 ||
      ::renameat(directory_.fd(), unfinished.c_str(), directory_.fd(), name.c_str()) != 0) {
    const int why = errno;
    remove(unfinished);
    errno = why;
    return false;
  }
  return sync();
}

void Folder::remove(const std::string& name) const {
  ::unlinkat(directory_.fd(), name.c_str(), 0);
}

std::string Folder::keep_aside(const std::string& name) const {
  const std::string aside = name + std::string(damaged_end);
  std::error_code failed;
  std::filesystem::copy_file(path_ + "/" + name, path_ + "/" + aside,
                             std::filesystem::copy_options::skip_existing, failed);
  return failed ? std::string() : aside;
}

bool Folder::sync() const {
  return ::fsync(directory_.fd()) == 0;
}

}  // namespace millrace::disk
