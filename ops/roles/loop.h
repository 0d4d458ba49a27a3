#pragma once
#include "shared/runtime/loop_clock.h"
#include "shared/runtime/nursery.h"
#include "shared/runtime/random.h"

namespace millrace {

/// One thread's world: its loop, the time and the chance on it.
struct Loop {
  asio::io_context io{1};
  LoopClock clock{io};
  SystemRandom random;
};

/// Something that runs on one loop until it is told to drain.
class Role {
 public:
  virtual ~Role() = default;
  /// Returns once drained; throws what makes the process unfit to go on.
  virtual Task<> run() = 0;
  /// Asks for the end; `run` returns within the role's grace. On the role's loop.
  virtual void drain() = 0;
};

}  // namespace millrace
