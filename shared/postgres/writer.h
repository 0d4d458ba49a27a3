#pragma once
#include <atomic>
#include <cstdint>

#include "shared/postgres/desk.h"
#include "shared/postgres/link.h"

namespace millrace::postgres {

/// Writes what comes to its desk: whatever queued while the last batch was being committed goes
/// into one transaction, whose statements leave together. On the store's loop, but for the counts.
class Writer {
 public:
  Writer(Clock& clock, Random& random, Link::Options options);

  Desk& desk() { return desk_; }
  /// Until `finish` and all is written, or the server is away; or until cancelled.
  Task<> run();
  /// What is here is still written.
  void finish();

  // --- any thread
  /// False while the server is away, and from a failed write to the next that succeeds, which is
  /// tried each second.
  bool healthy() const { return !link_.down() && !refused_.load(std::memory_order_relaxed); }
  std::uint64_t commits() const { return commits_.load(std::memory_order_relaxed); }
  std::uint64_t rows() const { return rows_.load(std::memory_order_relaxed); }

 private:
  Task<> write_all();
  Task<> linger();
  Task<> write(std::shared_ptr<Opened> opened, Calls batch);
  Task<Result<>> commit(Opened& opened, const Calls& batch);
  void failed(Errc error, const std::string& words, Calls batch);
  void refuse_awaited();

  Clock& clock_;
  Desk desk_;
  Link link_;
  bool finishing_ = false;
  std::size_t alone_ = 0;  ///< so many of the next are written one by one
  int clashes_ = 0;        ///< in a row
  int failures_ = 0;       ///< in a row
  std::atomic<bool> refused_ = false;
  std::atomic<std::uint64_t> commits_ = 0;
  std::atomic<std::uint64_t> rows_ = 0;
};

}  // namespace millrace::postgres
