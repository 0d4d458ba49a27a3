#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "shared/kafka/kafka_queue.h"
#include "shared/kafka/key_lanes.h"
#include "shared/kafka/producer.h"
#include "shared/runtime/signal.h"

namespace millrace::kafka {

/// Where one loop hears of its deliveries; shared by its port and the consumer's thread.
class Inbox {
 public:
  explicit Inbox(Clock& clock) : loop_(clock.loop()), arrived_(clock) {}

  /// From the consumer's thread: one wake-up for all that is put before the loop looks.
  static void put(const std::shared_ptr<Inbox>& to, std::vector<Delivery>& deliveries);
  static void close(const std::shared_ptr<Inbox>& to);
  /// On the loop: waits for one; fails only with `closed`.
  Task<Result<Delivery>> take();
  /// On the loop: nothing is posted there any more.
  void leave();

 private:
  asio::io_context& loop_;
  std::mutex mutex_;
  std::vector<Delivery> arrived_items_;  ///< guarded
  bool posted_ = false;                  ///< guarded
  bool left_ = false;                    ///< guarded
  bool closed_ = false;                  ///< guarded
  Signal arrived_;                       ///< of the loop
  std::vector<Delivery> taken_;          ///< of the loop, last first
};

/// A record that is to be produced because another one ended.
struct Consequence {
  std::string topic;
  std::string key;
  std::string value;
  std::vector<Header> headers;
  /// Let go when Kafka will never take it (a result may be too large). A copy of the job itself
  /// is not: the job would be lost.
  bool may_be_refused = false;
};

/// What a port tells the consumer about a record it was given.
struct Settled {
  enum class What : std::uint8_t { finish, again, put_off } what = What::finish;
  std::uint64_t handle = 0;
  Instant until{};
  bool begun = true;  ///< of one that comes again: somebody may have begun it
  /// Acknowledged before the record counts as finished; its key does not wait for them.
  std::vector<Consequence> consequences{};
};

/// The taking half of a KafkaQueue; see there.
class Consumer {
 public:
  Consumer(const KafkaQueueOptions& options, Producer& producer, KafkaQueueCounts& counts);
  /// Commits, leaves the group, joins the thread.
  ~Consumer();

  /// From any thread. The last of `taking_ports` starts the consumption.
  void add(std::shared_ptr<Inbox> inbox);
  /// From any thread: gives the partitions up; see KafkaQueue.
  void stop_taking();
  /// From any thread; acted upon in the order of calls.
  void tell(Settled settled);

 private:
  class Thread;
  std::unique_ptr<Thread> thread_;
};

}  // namespace millrace::kafka
