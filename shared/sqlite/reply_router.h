#pragma once
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "shared/sqlite/call_queue.h"

namespace millrace::sqlite {

/// Brings answered calls back to the loops they came from: one post a loop and batch. A port that
/// has gone gets nothing, so a loop may end before the store does.
class ReplyRouter {
 public:
  /// Loop threads; the clock must outlive its stay.
  std::uint64_t enter(Clock& clock);
  void leave(std::uint64_t port);

  /// Any thread. Drops calls nobody waits for.
  void deliver(Calls calls);

 private:
  std::mutex mutex_;
  std::vector<std::pair<std::uint64_t, Clock*>> ports_;
  std::uint64_t next_ = 1;
};

}  // namespace millrace::sqlite
