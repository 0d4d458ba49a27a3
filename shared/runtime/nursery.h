#pragma once
#include <boost/asio/cancellation_signal.hpp>
#include <exception>
#include <list>

#include "shared/runtime/signal.h"

namespace millrace {

/// Owns every task it starts: none outlives `join`, and the first failure is rethrown there.
/// Belongs to one loop. A nursery is destroyed only after `join` has returned.
class Nursery {
 public:
  explicit Nursery(Clock& clock) : clock_(clock), child_ended_(clock) {}
  Nursery(const Nursery&) = delete;
  Nursery& operator=(const Nursery&) = delete;
  ~Nursery();

  /// Starts a task; a task started after `stop` is cancelled at its first wait.
  void start(Task<> task);
  /// Cancels every child; each ends at its next wait.
  void stop();
  /// Waits for the last child. When one fails, stops the others and rethrows the first failure;
  /// a child that ends by its cancellation has not failed.
  Task<> join();

  std::size_t size() const { return children_.size(); }

 private:
  Clock& clock_;
  Signal child_ended_;
  std::list<asio::cancellation_signal> children_;
  std::exception_ptr failure_;
  bool stopping_ = false;
};

}  // namespace millrace
