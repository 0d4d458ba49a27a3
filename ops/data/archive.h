#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "ops/data/tar.h"
#include "shared/disk/folder.h"
#include "shared/runtime/time.h"

namespace millrace {

/// What an archive holds, by name: the sha256 of each file's bytes.
using Sums = std::map<std::string, std::string>;

/// Writes files into one archive, a tar that ends with `SHA256SUMS` over all of them, in the form
/// that `sha256sum -c` reads. Throws std::runtime_error with what is wrong when it cannot be
/// written.
class ArchiveWriter {
 public:
  ArchiveWriter(disk::File file, WallTime now);

  void add(const std::string& name, std::string_view bytes);
  /// The first `size` bytes; what is not there any more is zeros.
  void add(const std::string& name, const disk::File& from, std::uint64_t size);
  /// The sums and the end, durably. Nothing can be added afterwards.
  void finish();

  std::uint64_t bytes() const { return written_; }

 private:
  template <class Next>
  void add_pieces(const std::string& name, std::uint64_t size, Next next);
  void write(std::string_view bytes);

  disk::File file_;
  const WallTime now_;
  Sums sums_;
  std::uint64_t written_ = 0;
};

/// Reads such an archive from its beginning. Throws std::runtime_error with what is wrong.
class ArchiveReader {
 public:
  explicit ArchiveReader(disk::File file);

  /// The next file but `SHA256SUMS`; nothing at the end, where all bytes have been found to be
  /// those that were written. What `each` has not taken of the file before is passed over.
  std::optional<tar::Entry> next();
  /// The bytes of that file, piece by piece.
  void each(const std::function<void(std::string_view)>& take);
  std::string text();  ///< of that file, which has at most 4096 bytes

 private:
  std::string read(std::size_t size);
  void compare();

  disk::File file_;
  std::uint64_t at_ = 0;
  std::optional<tar::Entry> entry_;  ///< whose bytes are still to be read
  Sums sums_;
};

}  // namespace millrace
