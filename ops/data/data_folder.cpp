#include "ops/data/data_folder.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "shared/runtime/ids.h"

namespace millrace {
namespace {

std::string read_small(int fd) {
  std::array<char, 128> text{};
  const auto got = ::pread(fd, text.data(), text.size(), 0);
  return got > 0 ? std::string(text.data(), static_cast<std::size_t>(got)) : std::string();
}

bool write_durably(int fd, const std::string& text) {
  const bool written = ::ftruncate(fd, 0) == 0 && ::pwrite(fd, text.data(), text.size(), 0) ==
                                                      static_cast<ssize_t>(text.size());
  return written && ::fsync(fd) == 0;
}

std::runtime_error unusable(const std::string& path) {
  return std::runtime_error("cannot use the data folder " + path + ": " + std::strerror(errno) +
                            "; MILLRACE_DATA (--data) names another");
}

// Somebody who only looks at who has the folder lets go at once.
constexpr int lock_tries = 10;
constexpr int lock_pause_ms = 20;

bool locked(int fd) {
  for (int tries = lock_tries; ::flock(fd, LOCK_EX | LOCK_NB) != 0; --tries) {
    if (tries == 0) return false;
    ::poll(nullptr, 0, lock_pause_ms);
  }
  return true;
}

}  // namespace

std::optional<std::string> DataFolder::holder(const std::string& path) {
  const int fd = ::open((path + "/" + lock_name).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  std::optional<std::string> holder;
  if (::flock(fd, LOCK_SH | LOCK_NB) != 0) holder = read_small(fd);
  ::close(fd);
  return holder;
}

DataFolder::DataFolder(std::string path) : path_(std::move(path)) {
  std::error_code failed;
  std::filesystem::create_directories(path_, failed);
  if (failed) {
    errno = failed.value();
    throw unusable(path_);
  }
  lock_ = ::open((path_ + "/" + lock_name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock_ < 0) throw unusable(path_);
  if (!locked(lock_)) {
    const auto holder = read_small(lock_);
    ::close(lock_);
    throw std::runtime_error("the data folder " + path_ + " belongs to another millrace (pid " +
                             holder +
                             "): stop it, or name another folder by MILLRACE_DATA (--data)");
  }
  if (std::filesystem::exists(path_ + "/" + unfinished_name, failed)) {
    ::close(lock_);
    throw std::runtime_error("a restore into the data folder " + path_ +
                             " was cut off: empty the folder and restore again");
  }
  if (!write_durably(lock_, std::to_string(getpid()))) {
    const auto failure = unusable(path_);
    ::close(lock_);
    throw failure;
  }
}

DataFolder::~DataFolder() {
  ::close(lock_);
}

std::string DataFolder::secret(Random& random) const {
  const std::string name = path_ + "/secret";
  const int fd = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) throw unusable(path_);
  std::string secret = read_small(fd);
  bool kept = true;
  if (secret.empty()) {
    secret = new_token(random).str();
    kept = write_durably(fd, secret);
  }
  const auto failure = unusable(path_);
  ::close(fd);
  if (!kept) throw failure;
  return secret;
}

}  // namespace millrace
