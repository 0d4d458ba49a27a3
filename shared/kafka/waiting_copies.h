#pragma once
#include <map>
#include <optional>

#include "shared/kafka/key_lanes.h"

namespace millrace::kafka {

/// Copies of the retry tiers that were fetched before their time, whatever the order they came in.
/// Pure; one thread.
class WaitingCopies {
 public:
  struct Copy {
    Item item;
    Instant due;  ///< not before
  };

  /// To be looked at again at `until`, which may come before it is due.
  void add(Instant until, Copy copy);
  /// The first of those whose `until` has come.
  std::optional<Copy> take(Instant now);
  /// When `take` will have the next; `Instant::max()`: never.
  Instant next() const;
  /// Forgets the copies of a partition: somebody else has them now.
  void forget(const Partition* partition);

  std::size_t bytes() const { return bytes_; }

 private:
  std::multimap<Instant, Copy> waiting_;
  std::size_t bytes_ = 0;
};

}  // namespace millrace::kafka
