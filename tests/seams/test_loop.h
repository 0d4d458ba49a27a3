#pragma once
#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "shared/runtime/loop_clock.h"
#include "shared/runtime/nursery.h"

namespace millrace {

/// A loop of the calling thread, run until what it was given has ended.
class TestLoop {
 public:
  Clock& clock() { return clock_; }

  /// Runs the tasks side by side; rethrows the first failure.
  void run(std::vector<Task<>> tasks) {
    std::exception_ptr failure;
    asio::co_spawn(loop_, join(clock_, std::move(tasks)),
                   [this, &failure](std::exception_ptr thrown) {
                     failure = thrown;
                     loop_.stop();  // a deadline that was met leaves its timer armed
                   });
    loop_.restart();
    loop_.run();
    if (failure) std::rethrow_exception(failure);
  }

  void run_one(Task<> task) {
    std::vector<Task<>> tasks;
    tasks.push_back(std::move(task));
    run(std::move(tasks));
  }

  /// What the one task returns.
  template <class T>
  T get(Task<T> task) {
    std::optional<T> result;
    std::vector<Task<>> tasks;
    tasks.push_back(keep(std::move(task), result));
    run(std::move(tasks));
    return std::move(*result);
  }

 private:
  static Task<> join(Clock& clock, std::vector<Task<>> tasks) {
    Nursery nursery(clock);
    for (auto& task : tasks) nursery.start(std::move(task));
    co_await nursery.join();
  }
  template <class T>
  static Task<> keep(Task<T> task, std::optional<T>& result) {
    result = co_await std::move(task);
  }

  asio::io_context loop_{1};
  LoopClock clock_{loop_};
};

}  // namespace millrace
