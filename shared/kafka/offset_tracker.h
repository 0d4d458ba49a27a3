#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::kafka {

/// What of one partition is finished, when jobs finish in any order.
///
/// A bit per offset in a ring, set while the offset is taken and unfinished; so a gap in the
/// offsets (compaction, transaction markers, retention) costs nothing and counts as finished,
/// and memory is bounded (128 KiB) however far the finished run ahead of the slowest. Each call
/// is O(1) amortised over the offsets that pass; `hint` alone reads the window. Pure and not
/// thread-safe: it belongs to whoever polls the partition, from assignment to revocation.
class OffsetTracker {
 public:
  /// `next`, at least 0, is the committed position: the first offset to be delivered or skipped.
  explicit OffsetTracker(std::int64_t next);

  /// The broker delivered this offset. True: it is to be run, and is unfinished until `finish`
  /// (also when it was in hand already: after a seek back it comes twice). False: it is finished,
  /// by a hint, by a `finish`, or for lying below the position.
  bool take(std::int64_t offset);

  /// In any order; twice, or for an offset that was never taken, is a no-op.
  void finish(std::int64_t offset);

  /// Everything below is finished: the offset to commit. Never falls.
  std::int64_t position() const { return position_; }

  /// True when a commit would tell the broker anything new: the position rose, or something
  /// beyond it finished (which the hint carries).
  bool moved_since_commit() const { return moved_; }
  /// Called when a commit of `position` and `hint` is sent; what finishes later counts as new.
  void committed() { moved_ = false; }

  /// What finished beyond the position, cut at a run so as to fit; printable ASCII, empty when
  /// there is nothing to say. Its form: `m1;P;A+F,A+F,.` where P is the position and, from there
  /// on, A offsets are not known to be finished and the F after them are.
  std::string hint(std::size_t bytes_max) const;

  /// Takes over what the committed metadata says. Only directly after construction. All or
  /// nothing: text that is cut, is malformed, or was written for another position is ignored,
  /// since a job run again is dropped when it begins but a job skipped is lost.
  void apply_hint(std::string_view hint);

  /// How many offsets beyond the position a commit's metadata, which ends in a hint, calls
  /// finished; 0 where it cannot be read.
  static std::int64_t finished_in(std::string_view metadata);

  /// The window beyond the position is used up: pause fetching. What is in flight from the
  /// broker may still be taken.
  bool full() const;

  /// Taken and not finished.
  std::size_t unfinished() const { return in_ring_ + far_.size(); }

 private:
  struct Run {
    std::int64_t begin, end;  ///< finished offsets, end exclusive
  };
  struct Hint {
    std::int64_t position;
    std::vector<Run> runs;
  };

  static std::optional<Hint> read(std::string_view text);

  bool in_hand(std::int64_t offset) const;
  void hold(std::int64_t offset);
  /// The first offset in [from, to) that is in hand (or, with `held` false, is not); else `to`.
  std::int64_t find(bool held, std::int64_t from, std::int64_t to) const;
  void advance();

  std::vector<std::uint64_t> ring_;
  std::size_t in_ring_ = 0;     ///< bits set
  std::set<std::int64_t> far_;  ///< in hand, a ring or more beyond the position: behind a huge gap
  std::vector<Run> hinted_;     ///< finished by the hint, rising
  std::size_t hint_next_ = 0;   ///< the first run that reaches beyond `seen_`
  std::int64_t position_;
  std::int64_t seen_;  ///< every offset below was delivered, skipped or hinted
  bool moved_ = false;
};

}  // namespace millrace::kafka
