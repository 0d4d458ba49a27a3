#pragma once
#include <optional>
#include <string>

namespace millrace {

class Random;

/// The folder an embedded millrace keeps everything in: `millrace.db`, `events/`, `secret`. One
/// process at a time, which the kernel sees to (flock), also after a kill.
class DataFolder {
 public:
  static constexpr const char* lock_name = "lock";
  /// There while a backup is being restored into the folder, which is no data folder until then.
  static constexpr const char* unfinished_name = "restoring";

  /// Makes the folder where it is missing and takes it. Throws std::runtime_error with what is
  /// wrong and what to do: it cannot be used, another process has it (its pid is named), or a
  /// restore into it was cut off.
  explicit DataFolder(std::string path);
  ~DataFolder();
  DataFolder(const DataFolder&) = delete;
  DataFolder& operator=(const DataFolder&) = delete;

  /// Who has that folder now: its pid as it wrote it down, or nothing. Holds it itself for an
  /// instant; whoever takes it at that instant waits.
  static std::optional<std::string> holder(const std::string& path);

  std::string lock() const { return path_ + "/" + lock_name; }
  std::string events() const { return path_ + "/events"; }
  /// What signs links: made once, readable by its owner alone, kept with the data. Throws
  /// std::runtime_error when it cannot be read or kept.
  std::string secret(Random& random) const;

 private:
  std::string path_;
  int lock_ = -1;
};

}  // namespace millrace
