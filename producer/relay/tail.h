#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "producer/relay/sse.h"

namespace millrace::relay {

inline constexpr std::size_t tail_bytes_max =
    32 * 1024;  ///< of one job; one larger frame may stand alone
inline constexpr std::size_t tail_block_bytes_max = 8 * 1024;
static_assert(tail_block_bytes_max < tail_bytes_max, "the tail is dropped by whole blocks");

/// The recent events of one job, framed once and read by all its readers.
///
/// Holds the frames of every event after `base()` up to `last()`, in blocks that never move
/// once written: a reader's write takes a view and keeps its block alive, so nothing is copied
/// for a reader, and a reader that is stuck in a write costs at most one block. Old blocks are
/// dropped beyond `tail_bytes_max`.
class Tail {
 public:
  /// Where a reader stands, counted from the first frame ever appended.
  struct Place {
    std::uint64_t byte = 0;
    std::uint64_t event = 0;
    auto operator<=>(const Place&) const = default;
  };

  /// Whole frames, all that one block has to give.
  struct Slice {
    std::shared_ptr<const void> hold;  ///< keeps `frames` alive
    std::string_view frames;
    Place next;
    Seq last = 0;  ///< the reader's last event after these
  };

  explicit Tail(Seq base = 0) : base_(base), last_(base) {}

  void append(const EventLine& event);
  /// A frame without a number; it stands before the next event, in the same block, so that
  /// nobody who goes on between two events can miss it.
  void append_made(std::string_view frame) { made_.append(frame); }
  /// Drops everything: what follows comes after `base`. Places taken before are behind.
  void restart(Seq base);

  Seq base() const { return base_; }
  Seq last() const { return last_; }
  Place start() const { return blocks_.empty() ? end_ : blocks_.front()->start; }
  Place end() const { return end_; }

  /// Where a reader stands whose last event is `after`; `base() <= after <= last()`.
  Place find(Seq after) const;
  /// What stands after `place`; nothing at the end. `start() <= place`.
  std::optional<Slice> from(Place place) const;

 private:
  struct Block {
    std::unique_ptr<char[]> bytes;
    std::size_t capacity = 0;
    std::size_t used = 0;
    Place start;
    Seq before = 0;  ///< last event in front of this block
    Seq last = 0;
  };

  char* room_for(std::size_t bytes);
  void took(std::size_t bytes);

  std::vector<std::shared_ptr<Block>> blocks_;  ///< few: no deque, which takes 600 B when empty
  std::size_t bytes_ = 0;                       ///< in all blocks
  std::string made_;                            ///< waits for its event
  Place end_;
  Seq base_;
  Seq last_;
};

}  // namespace millrace::relay
