#pragma once
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "shared/job_queue.h"
#include "shared/kafka/key_lanes.h"
#include "shared/kafka/partition.h"
#include "shared/memory/broker.h"
#include "shared/runtime/limits.h"
#include "shared/runtime/nursery.h"

namespace millrace {

/// The JobQueue of one loop on a `memory::Broker`, with the lanes and the offset tracker of the
/// Kafka adapter and its rules for commits, retries and rebalances. Broker and link outlive it.
class MemoryJobQueue final : public JobQueue {
 public:
  struct Options {
    bool takes = false;  ///< joins the group; else it only produces
    std::uint32_t jobs_in_flight = limits::jobs_in_flight_max;
    Duration retry_in_memory_max = limits::retry_in_memory_max;
  };
  MemoryJobQueue(Clock& clock, memory::Broker& broker, memory::Link& link, Options options,
                 const memory::Bugs& bugs);
  ~MemoryJobQueue() override;

  /// Takes part in the group until cancelled.
  Task<> run();
  /// Gives what was settled the time to be acknowledged, commits, and leaves the group.
  Task<> leave();
  /// Ends `run` and all it started.
  void stop() { tasks_.stop(); }
  bool stopped() const { return tasks_.size() == 0; }

  Task<Result<>> enqueue(const Job& job) override;
  Task<Result<Delivery>> next() override;
  Task<Result<>> settle(const Delivery& delivery, Verdict verdict, std::string result) override;
  void release(const Delivery& delivery, Instant not_before) override;
  std::optional<QueueLag> lag(const Job&) override { return std::nullopt; }

 private:
  using Name = memory::PartitionName;
  /// What a partition of ours has to be asked for.
  struct Reading {
    std::shared_ptr<kafka::Partition> partition;
    std::int64_t next = 0;
    std::multimap<Instant, kafka::Item> not_due;  ///< of a retry tier
    bool is_tier = false;
    bool asking = false;
    bool more = false;
  };
  struct Copy {
    std::string topic;
    memory::Record record;
  };

  void join();
  void assigned(const Name& name, const memory::Commit& committed);
  void revoked(const Name& name);
  void drop(const Name& name);
  void lose_all();
  void read_soon(const Name& name);
  Task<> read(Name name);
  void take(Reading& reading, std::int64_t offset, memory::Record record);
  void hand_out();
  void return_due(Instant now);
  void commit();
  void commit(const Name& name, kafka::Partition& partition);
  Copy copy_of(const Delivery& delivery, std::string_view topic, std::uint32_t attempt) const;
  void put_off(const Delivery& delivery, Instant until, bool counts);
  void finish(std::uint64_t handle, std::vector<Copy> copies);
  Task<> finish_after(std::shared_ptr<kafka::Partition> partition, std::int64_t offset,
                      std::vector<Copy> copies);
  Task<Result<>> produce(std::string topic, memory::Record record);
  Task<> keep();

  Clock& clock_;
  memory::Broker& broker_;
  memory::Link& link_;
  Options options_;
  const memory::Bugs& bugs_;
  std::shared_ptr<memory::Member> member_;
  std::map<Name, Reading> readings_;
  kafka::KeyLanes lanes_;
  std::uint64_t next_handle_ = 1;
  std::deque<Delivery> inbox_;
  Signal arrived_;
  Signal tick_now_;
  Instant tick_at_{};
  Nursery tasks_;
  std::size_t unfinished_ = 0;  ///< records whose copies are not acknowledged yet
  bool joined_ = false;
  bool leaving_ = false;
};

}  // namespace millrace
