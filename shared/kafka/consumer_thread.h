#pragma once
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <list>
#include <map>

#include "shared/kafka/consumer.h"
#include "shared/kafka/partition.h"
#include "shared/kafka/rdkafka_handles.h"
#include "shared/kafka/waiting_copies.h"
#include "shared/runtime/loop_clock.h"
#include "shared/runtime/nursery.h"
#include "shared/runtime/signal.h"

namespace millrace::kafka {

/// The reason of a retry copy whose envelope's version was newer than its reader.
inline constexpr std::string_view unknown_version = "unknown_version";

/// The thread that polls librdkafka, and all it owns.
class Consumer::Thread {
 public:
  Thread(const KafkaQueueOptions& options, Producer& producer, KafkaQueueCounts& counts);
  ~Thread();

  void add(std::shared_ptr<Inbox> inbox);
  void stop_taking();
  void tell(Settled settled);

 private:
  using PartitionPtr = std::shared_ptr<Partition>;
  using Name = std::pair<std::string, std::int32_t>;

  void run();
  void subscribe();
  void unsubscribe();
  Task<> live();
  Task<> on_events();
  Task<> tick();
  Task<> settle_up();
  void leave_group();

  // what librdkafka says (consumer_events.cpp)
  void poll();
  bool too_many_copies() const;
  void take_event(rd_kafka_event_t* event);
  void take_message(const rd_kafka_message_t* message);
  void take_rebalance(rd_kafka_event_t* event);
  void assign_when_known(TopicPartitions wanted);
  void assign(TopicPartitions with_offsets);
  void revoke(const rd_kafka_topic_partition_list_t* list, bool lost);
  void take_commit_result(rd_kafka_event_t* event);
  void commit();
  void pace();
  std::size_t held_bytes() const;
  void set_paused(Partition& partition, bool paused);

  // what becomes of records (consumer_records.cpp)
  void take_settled();
  void hand_out();
  void hand_one(Item& item, std::vector<std::vector<Delivery>>& out);
  std::vector<Consequence> dead_letter(const Item& item, std::string reason);
  void wait_for_upgrade(const Item& item, std::int64_t version);
  void finish(std::uint64_t handle, std::vector<Consequence> consequences);
  Task<> finish_after(PartitionPtr partition, std::int64_t offset,
                      std::vector<Consequence> consequences);
  void take_retry(const PartitionPtr& partition, Item item, Instant due);
  void return_due(Instant now);
  void send_back(Item item);
  void wait_again(WaitingCopies::Copy copy);

  const KafkaQueueOptions options_;
  Producer& producer_;
  KafkaQueueCounts& counts_;

  asio::io_context loop_{1};
  LoopClock clock_{loop_};
  Nursery nursery_{clock_};
  Client client_;
  Queue queue_;

  std::map<Name, PartitionPtr> partitions_;
  KeyLanes lanes_;
  WaitingCopies copies_;  ///< of the retry tiers
  std::uint64_t next_handle_ = 1;
  std::size_t unfinished_ = 0;  ///< records whose consequences are not acknowledged yet
  std::size_t unfinished_bytes_ = 0;
  Instant tick_at_{};        ///< when it will look again
  Signal tick_now_{clock_};  ///< something is due before that
  bool all_paused_ = false;
  bool tiers_paused_ = false;
  bool giving_up_ = false;  ///< nothing more is handed out
  bool closing_ = false;

  std::mutex mutex_;
  std::vector<std::shared_ptr<Inbox>> inboxes_;  ///< guarded until the thread runs
  std::vector<Settled> settled_;                 ///< guarded
  bool settled_posted_ = false;                  ///< guarded
  std::thread thread_;
  std::list<std::thread> askers_;  ///< of committed offsets: that call blocks
  std::atomic<bool> leaving_{false};
};

}  // namespace millrace::kafka
