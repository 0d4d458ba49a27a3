#pragma once
#include <mutex>

#include "shared/runtime/signal.h"

namespace millrace {

/// From the loops of a process, which end jobs, to the one that sends webhooks: a delivery may
/// have become due. Saves that one the wait for its next look; what is lost here costs no more.
class DeliveryNews {
 public:
  /// Any thread.
  void tell();

  /// Wakes this signal of that loop from now on, once for all that is told until it hears of it.
  /// On the loop, as `stop` is, which comes before any of them goes.
  void hear(asio::io_context& loop, Signal& signal);
  void stop();

 private:
  void arrive();

  std::mutex mutex_;
  asio::io_context* loop_ = nullptr;
  Signal* signal_ = nullptr;  ///< null: nobody hears
  bool under_way_ = false;
};

}  // namespace millrace
