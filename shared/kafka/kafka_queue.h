#pragma once
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "shared/contract/topics.h"
#include "shared/job_queue.h"
#include "shared/runtime/clock.h"
#include "shared/runtime/limits.h"

namespace millrace {

struct KafkaQueueOptions {
  std::string brokers;
  std::map<std::string, std::string> properties;  ///< librdkafka names, applied last
  std::string prefix = "millrace";
  std::string group = "millrace-workers";
  /// Ports that take jobs: the group is joined once so many have been made. 0: only produce.
  std::uint32_t taking_ports = 0;
  std::uint32_t jobs_in_flight = limits::jobs_in_flight_max;
  Duration retry_in_memory_max = limits::retry_in_memory_max;
  /// Of copies in retry topics, fetched before their time. Well below what all records may cost,
  /// so that they never hold back new jobs.
  std::size_t waiting_copies_bytes_max = limits::queue_memory_bytes_max / 4;
};

/// What a process's queue counts; read from any thread.
struct KafkaQueueCounts {
  std::atomic<std::int64_t> in_flight{0};   ///< handed to workers, not settled
  std::atomic<std::int64_t> held_bytes{0};  ///< of records fetched and not finished
  std::atomic<std::int64_t> paused{0};      ///< 1 while fetching is paused
  std::atomic<std::uint64_t> delivered{0};
  std::atomic<std::uint64_t> dead{0};
  std::atomic<std::uint64_t> rebalances{0};
};

/// The queue in Kafka: one producer and, where jobs are taken, one consumer a process.
///
/// The consumer has a thread of its own, which owns the offset tracker; records are held there in
/// lanes by key and handed to the ports, each key always to the same port. Commits carry, beside
/// the position, which records beyond it are finished; that is a hint, what it omits is delivered
/// again and dropped by `begin`. Polling never waits for a job. On a rebalance running jobs run
/// on and lose only their commit.
class KafkaQueue {
 public:
  /// Throws std::invalid_argument for a property librdkafka refuses. Needs no broker.
  explicit KafkaQueue(KafkaQueueOptions options);
  /// Commits what is finished and leaves the group (bounded). Ports may outlive it unused.
  ~KafkaQueue();
  KafkaQueue(const KafkaQueue&) = delete;
  KafkaQueue& operator=(const KafkaQueue&) = delete;

  /// The queue as seen from the loop of `clock`, on which it is used and destroyed.
  std::unique_ptr<JobQueue> port(Clock& clock);

  /// Gives the partitions up at once, for others to take what waits: nothing more is handed out and
  /// `next` ends with `closed`. What is in hand can be settled as before (retries, dead letters and
  /// results are produced), but no longer committed: it comes again elsewhere, where `begin` drops
  /// it. From any thread; twice is once.
  void stop_taking();

  /// The cluster has answered and is not known to be away. From any thread.
  bool ready() const;
  /// All that nobody has finished, as of the last second; nothing while that is not known, and
  /// where jobs are taken. From any thread.
  std::optional<QueueLag> lag_of_all() const;
  const KafkaQueueCounts& counts() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace millrace
