#pragma once
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "shared/runtime/clock.h"
#include "shared/runtime/error.h"

namespace millrace::kafka {

/// One record on its way to the broker. It has two owners that end in any order: the coroutine
/// that waits, and the producer, which carries its address until it reports.
struct Send {
  explicit Send(asio::io_context& home) : loop(home) {}

  using Waiter = asio::any_completion_handler<void(boost::system::error_code)>;

  asio::io_context& loop;         ///< touched only while somebody waits: it may be gone afterwards
  Result<> result;                ///< written before the report is posted
  std::uint64_t wave = 0;         ///< it left with; of the producer
  std::shared_ptr<Send> carried;  ///< itself, while the producer has its address
  bool posted = false;            ///< guarded by the lock of report()
  bool left = false;              ///< guarded by the lock of report()
  bool done = false;              ///< of the loop
  Waiter waiter;                  ///< of the loop
};

/// The coroutine's hold on its Send; to be destroyed on the loop, with or without a result.
class Ticket {
 public:
  explicit Ticket(asio::io_context& loop) : send_(std::make_shared<Send>(loop)) {}
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;
  ~Ticket();

  /// For the producer to carry, until report().
  Send* carry();
  /// Waits for the report. Throws `operation_aborted` when cancelled.
  Task<Result<>> result();

 private:
  std::shared_ptr<Send> send_;
};

/// From the thread that takes delivery reports: ends these sends, each with its `result` set, by
/// one post a loop. Takes them over; the list is empty afterwards.
void report(std::vector<Send*>& sends);

}  // namespace millrace::kafka
