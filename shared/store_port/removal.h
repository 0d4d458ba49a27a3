#pragma once
#include <chrono>
#include <cstdint>
#include <string_view>

#include "shared/runtime/clock.h"
#include "shared/runtime/error.h"
#include "shared/runtime/log.h"
#include "shared/runtime/task.h"

namespace millrace {

/// What is removed once it has been kept long enough.
struct Removal {
  Duration kept;
  std::int64_t batch_max;  ///< rows; a batch of fewer was the last
  const char* removed;     ///< the log's event, with a count of `rows`
  const char* failed;      ///< the same, with an `error`
};

/// At the start and each hour: batch after batch, each a commit of its own. After each one the rest
/// of the world has the database for four times as long as it took. Until cancelled.
/// `batch(before)`: a Task<Result<std::int64_t>>, how many rows of before that it has removed.
template <class Batch>
Task<> remove_in_batches(Clock& clock, Removal removal, Batch batch) {
  constexpr Duration look_every = 1h;
  constexpr int shares_of_others = 4;
  for (;;) {
    std::int64_t rows = 0;
    for (bool more = true; more;) {
      const Instant began = clock.now();
      const auto kept = std::chrono::ceil<std::chrono::milliseconds>(removal.kept);
      const auto done = co_await batch(clock.wall() - kept);
      if (!done) log::warn(removal.failed, {{"error", to_string(done.error())}});
      more = done && *done == removal.batch_max;
      rows += done.value_or(0);
      if (more) co_await clock.sleep_for(shares_of_others * (clock.now() - began));
    }
    if (rows > 0) log::info(removal.removed, {{"rows", rows}});
    co_await clock.sleep_for(look_every);
  }
}

}  // namespace millrace
