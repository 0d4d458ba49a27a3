#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/runtime/error.h"

namespace millrace::disk {

/// Whether a read may wait for the disk.
enum class Patience : std::uint8_t { none, any };

/// A file descriptor that closes itself.
class File {
 public:
  File() = default;
  explicit File(int fd) : fd_(fd) {}
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~File();

  explicit operator bool() const { return fd_ >= 0; }
  int fd() const { return fd_; }

  /// Exactly `size` bytes from `offset`, behind what `out` holds. `corrupt` when they are not there
  /// or cannot be read, `timed_out` when that takes more than no patience; `out` is as it was then.
  Result<> read(std::string& out, std::uint64_t offset, std::size_t size,
                Patience patience = Patience::any) const;
  std::uint64_t size() const;

 private:
  int fd_ = -1;
};

/// The folder of one event log: segments `<number>.log`, their indexes `<number>.idx`, and a few
/// small files. Held by one process at a time. Every call may be made by any thread.
class Folder {
 public:
  /// Makes it where it is missing. Throws std::runtime_error with what is wrong and what to do
  /// when it cannot be used or somebody else holds it.
  explicit Folder(std::string path);

  const std::string& path() const { return path_; }

  static std::string segment_name(std::uint32_t number);
  static std::string index_name(std::uint32_t number);
  /// Numbers of the segments there, rising. Removes what a crash left half made.
  std::vector<std::uint32_t> tidy_and_list() const;

  /// An open file, or none (errno tells why).
  File open(const std::string& name) const;
  File create(const std::string& name) const;  ///< new, to read and write
  File open_to_write(const std::string& name) const;
  std::optional<std::string> read_all(const std::string& name) const;
  /// In the place of the old one, if any, at once and durably.
  bool replace(const std::string& name, std::string_view text) const;
  void remove(const std::string& name) const;
  /// A copy of a file as `<name>.damaged`, unless there is one; its name, or none where it failed.
  std::string keep_aside(const std::string& name) const;
  /// What was made and removed is durable.
  bool sync() const;

 private:
  std::string path_;
  File directory_;
};

}  // namespace millrace::disk
