#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/contract/job.h"
#include "shared/sqlite/database.h"

namespace millrace::sqlite {

/// A row of the queue, with the envelope that `jobs` keeps.
struct QueueRow {
  std::int64_t seq = 0;  ///< its place in the queue: rises with every enqueue, is never used again
  JobId job;
  std::string lane;           ///< the key of a job with a session; empty: ordered by nothing
  std::uint32_t attempt = 1;  ///< of the queue
  WallTime due{};             ///< not before
  bool begun = false;         ///< given back by somebody who may have begun it
  /// Nothing: `jobs` no longer has it.
  std::optional<std::string> envelope;
};

/// Rows in their order, and how far the reading went.
struct QueuePage {
  std::vector<QueueRow> rows;
  bool complete = false;         ///< there were no more when it was read
  std::int64_t looked_to = 0;    ///< the last row looked at, taken or not
  std::optional<WallTime> next;  ///< of a page by time: when the first row after it is due
};

/// How a row stands after a delivery came back, or where it waits.
struct QueueChange {
  std::int64_t seq = 0;
  std::uint32_t attempt = 1;
  WallTime due{};
  bool parked = false;  ///< waits for its time in the table alone, in no process's memory
  bool begun = false;
};

/// The statements of the queue over one connection. Writes run inside a transaction that the
/// caller opens and commits; one thread at a time.
class QueueTable {
 public:
  /// Which rows a reader wants: those it is given a `true` for.
  using Mine = std::function<bool(const JobId& job, std::string_view lane)>;
  struct Bounds {
    std::size_t rows = 0;
    std::size_t bytes = 0;  ///< of envelopes; passed by the last row at most
  };

  explicit QueueTable(Database& database);

  /// Adds the job behind all others and notes it in `jobs`. False: it was queued before or has
  /// ended, and nothing was changed. A parked row is read when it is due.
  Result<bool> add(const Job& job, std::int64_t seq, std::string_view lane, bool parked);
  Result<> remove(std::int64_t seq);
  Result<> change(const QueueChange& change);
  Result<> unpark(std::int64_t seq);

  /// Rows behind `after` that are not parked.
  Result<QueuePage> page(std::int64_t after, Bounds bounds, const Mine& mine);
  /// Rows of one lane behind `after`.
  Result<QueuePage> lane(std::string_view lane, std::int64_t after, Bounds bounds);
  /// Parked rows that are due, the earliest first.
  Result<QueuePage> due(WallTime now, Bounds bounds, const Mine& mine);

  struct Extent {
    std::int64_t rows = 0;
    std::int64_t last = 0;  ///< the highest number ever used, as far as rows tell
  };
  /// Reads every row's key.
  Result<Extent> extent();

 private:
  Result<QueuePage> read(Query& query, Bounds bounds, const Mine& mine);
  Result<std::optional<std::string>> envelope(const JobId& id);
  Result<bool> note(const Job& job, std::int64_t seq);

  Database& database_;
  Statement note_;
  Statement add_;
  Statement remove_;
  Statement change_;
  Statement unpark_;
  Statement page_;
  Statement lane_;
  Statement due_;
  Statement next_due_;
  Statement envelope_;
};

}  // namespace millrace::sqlite
