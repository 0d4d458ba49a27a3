#pragma once
#include <memory>
#include <string>
#include <vector>

#include "shared/kafka/client_settings.h"
#include "shared/kafka/waves.h"
#include "shared/runtime/clock.h"
#include "shared/runtime/error.h"

namespace millrace::kafka {

/// The one producer of a process, for all its loops: one per core halves the rate, since each
/// sends smaller batches. Idempotent, acks=all; records of one key keep their order.
///
/// Records leave in waves (waves.h). One background thread takes the delivery reports and posts
/// them to the loops that wait, once a loop for all that came together. A client that librdkafka
/// declares broken for good is replaced.
class Producer {
 public:
  /// Starts without a broker. Throws std::invalid_argument for a property librdkafka refuses.
  explicit Producer(const ClientSettings& settings);
  /// Waits at most 5 s for what is on its way; whoever still waits then is told. No `produce` may
  /// begin from here on, those that wait may be resumed afterwards.
  ~Producer();
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  /// From any loop, on that of `clock`. Ok: every in-sync replica has it. `overloaded`: the buffer
  /// (64 MiB) is full, not sent. `unavailable`: certainly not in the log; at once while no broker
  /// has been reachable for 2 s, else within `limits::produce_timeout`. `timed_out`: it may be in
  /// the log, or get there. `invalid`: no later try will succeed (size, no such topic, no right).
  /// An empty key is none: any partition. At most 8 headers. For `linger` the record may wait for
  /// others to leave with, which saves the broker requests.
  /// A coroutine that is cancelled stops waiting; its record may arrive all the same.
  Task<Result<>> produce(Clock& clock, std::string topic, std::string key, std::string value,
                         std::vector<Header> headers, Duration linger = {});

  /// The cluster has answered and is not known to be away. From any thread.
  bool ready() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace millrace::kafka
