#include "ops/data/archive.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "ops/data/failure.h"
#include "shared/runtime/sha256.h"

namespace millrace {
namespace {

constexpr const char* sums_name = "SHA256SUMS";
constexpr std::size_t piece_bytes = 1024 * 1024;
constexpr std::size_t text_bytes_max = 4096;

std::string line_of(const Sums::value_type& sum) {
  return sum.second + "  " + sum.first + "\n";
}

std::string text_of(const Sums& sums) {
  std::string text;
  for (const auto& sum : sums) text += line_of(sum);
  return text;
}

/// Compares a text, as it comes, with that of these sums.
class SumsCheck {
 public:
  explicit SumsCheck(const Sums& sums) : next_(sums.begin()), end_(sums.end()) {}

  void take(std::string_view piece) {
    while (same_ && !piece.empty()) {
      if (line_.empty() && next_ != end_) line_ = line_of(*next_++);
      const auto size = std::min(piece.size(), line_.size());
      same_ = size > 0 && line_.starts_with(piece.substr(0, size));
      piece.remove_prefix(size);
      line_.erase(0, size);
    }
  }
  /// Once all of the text has come.
  bool same() const { return same_ && line_.empty() && next_ == end_; }

 private:
  Sums::const_iterator next_;
  const Sums::const_iterator end_;
  std::string line_;  ///< what of the line is still to come
  bool same_ = true;
};

std::size_t next_piece(std::uint64_t left) {
  return static_cast<std::size_t>(std::min<std::uint64_t>(left, piece_bytes));
}

}  // namespace

ArchiveWriter::ArchiveWriter(disk::File file, WallTime now) : file_(std::move(file)), now_(now) {}

void ArchiveWriter::write(std::string_view bytes) {
  written_ += bytes.size();
  while (!bytes.empty()) {
    const auto done = ::write(file_.fd(), bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0)
      throw std::runtime_error(std::string("the archive cannot be written: ") +
                               std::strerror(errno));
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
}

/// `next(at, size)` gives the bytes there.
template <class Next>
void ArchiveWriter::add_pieces(const std::string& name, std::uint64_t size, Next next) {
  const auto head = tar::header({name, size}, now_);
  write({head.data(), head.size()});
  Sha256 sum;
  for (std::uint64_t at = 0; at < size;) {
    const std::string_view piece = next(at, next_piece(size - at));
    sum.add(piece);
    write(piece);
    at += piece.size();
  }
  write(std::string(tar::padding(size), '\0'));
  if (!sums_.emplace(name, sum.hex()).second)
    throw std::logic_error("twice in an archive: " + name);
}

void ArchiveWriter::add(const std::string& name, std::string_view bytes) {
  add_pieces(name, bytes.size(), [bytes](std::uint64_t at, std::size_t size) {
    return bytes.substr(static_cast<std::size_t>(at), size);
  });
}

void ArchiveWriter::add(const std::string& name, const disk::File& from, std::uint64_t size) {
  std::string piece;
  add_pieces(name, size, [&](std::uint64_t at, std::size_t wanted) {
    piece.resize(wanted);
    std::size_t got = 0;
    while (got < wanted) {
      const auto done =
          ::pread(from.fd(), piece.data() + got, wanted - got, static_cast<off_t>(at + got));
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) throw failure(name + " cannot be read");
      if (done == 0) break;
      got += static_cast<std::size_t>(done);
    }
    std::fill(piece.begin() + static_cast<std::ptrdiff_t>(got), piece.end(), '\0');
    return std::string_view(piece);
  });
}

void ArchiveWriter::finish() {
  add(sums_name, text_of(sums_));
  write(std::string(2 * tar::block_bytes, '\0'));
  if (::fsync(file_.fd()) != 0) throw failure("the archive cannot be synced");
}

ArchiveReader::ArchiveReader(disk::File file) : file_(std::move(file)) {}

std::string ArchiveReader::read(std::size_t size) {
  std::string bytes;
  if (!file_.read(bytes, at_, size))
    throw std::runtime_error("the archive ends early, or cannot be read");
  at_ += size;
  return bytes;
}

std::optional<tar::Entry> ArchiveReader::next() {
  if (entry_) each([](std::string_view) {});
  tar::Block block{};
  std::ranges::copy(read(block.size()), block.begin());
  const auto entry = tar::parse(block);
  if (!entry) throw std::runtime_error("the archive is damaged, or none: " + entry.error());
  if (!*entry) throw std::runtime_error("the archive is damaged: it has no sums");
  entry_ = **entry;
  if (entry_->name != sums_name) return entry_;
  compare();
  return std::nullopt;
}

void ArchiveReader::each(const std::function<void(std::string_view)>& take) {
  Sha256 sum;
  for (std::uint64_t left = entry_->size; left > 0;) {
    const std::string piece = read(next_piece(left));
    sum.add(piece);
    take(piece);
    left -= piece.size();
  }
  read(tar::padding(entry_->size));
  if (!sums_.emplace(entry_->name, sum.hex()).second)
    throw std::runtime_error("the archive is damaged: it has two files " + entry_->name);
  entry_.reset();
}

std::string ArchiveReader::text() {
  if (entry_->size > text_bytes_max)
    throw std::runtime_error("the archive is damaged: " + entry_->name + " is too large");
  std::string text;
  each([&text](std::string_view piece) { text += piece; });
  return text;
}

void ArchiveReader::compare() {
  const Sums found = std::exchange(sums_, {});
  SumsCheck check(found);
  each([&check](std::string_view piece) { check.take(piece); });
  if (check.same()) return;
  throw std::runtime_error("the archive is damaged: its bytes are not those of its sums");
}

}  // namespace millrace
