#pragma once
#include <exception>
#include <optional>

#include "shared/runtime/loop_clock.h"

namespace millrace::postgres {

/// A loop of the thread that calls `run`, with its time.
class OwnLoop {
 public:
  Clock& clock() { return clock_; }
  asio::io_context& io() { return loop_; }

  /// Blocks until the task has ended; rethrows what it threw.
  void run(Task<> task);

  /// What the one task returns.
  template <class T>
  T get(Task<T> task) {
    std::optional<T> result;
    run(keep(std::move(task), result));
    return std::move(*result);
  }

 private:
  template <class T>
  static Task<> keep(Task<T> task, std::optional<T>& result) {
    result = co_await std::move(task);
  }

  asio::io_context loop_{1};
  LoopClock clock_{loop_};
};

}  // namespace millrace::postgres
