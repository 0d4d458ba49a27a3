#pragma once
#include <array>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "shared/contract/topics.h"
#include "shared/kafka/kafka_queue.h"
#include "shared/kafka/rdkafka_handles.h"
#include "tests/seams/job_queue_world.h"

namespace millrace::kafka {

/// A record as somebody reads it who knows nothing of millrace.
struct RawRecord {
  std::string key;
  std::string value;
  std::map<std::string, std::string> headers;
};

/// Topics of its own on the broker that MILLRACE_TEST_KAFKA names, with few partitions, deleted
/// again at the end.
class KafkaWorld final : public QueueWorld {
 public:
  static constexpr int partitions = 2;

  KafkaWorld() {
    const char* address = std::getenv("MILLRACE_TEST_KAFKA");
    if (!address) return;
    brokers_ = address;
    SystemRandom random;
    prefix_ = "test-" + new_token(random).str().substr(0, 12);
    producer_ = make_client(RD_KAFKA_PRODUCER, make_config({brokers_, {{"linger.ms", "0"}}}));
    for (const auto suffix : topics::jobs) topics_.push_back(topics::full(prefix_, suffix));
    for (const auto& tier : topics::retry_tiers)
      topics_.push_back(topics::full(prefix_, tier.suffix));
    topics_.push_back(topics::full(prefix_, topics::dead));
    topics_.push_back(topics::full(prefix_, topics::results));
    create();
  }
  ~KafkaWorld() override {
    if (producer_) remove();
  }

  std::string missing() const override {
    if (!brokers_.empty()) return {};
    return "set MILLRACE_TEST_KAFKA=host:port, e.g. of `ops/servers.py build/run/servers`";
  }
  std::unique_ptr<QueueProcess> process(std::uint32_t jobs_in_flight) override {
    KafkaQueueOptions its = options();
    its.jobs_in_flight = jobs_in_flight;
    return process(std::move(its));
  }
  std::unique_ptr<QueueProcess> process(KafkaQueueOptions its) {
    return std::make_unique<Process>(std::move(its));
  }

  KafkaQueueOptions options() const {
    KafkaQueueOptions options;
    options.brokers = brokers_;
    options.properties = properties;
    options.prefix = prefix_;
    options.group = prefix_ + "-workers";
    options.taking_ports = 1;
    options.retry_in_memory_max = retry_in_memory_max;
    return options;
  }
  const std::string& brokers() const { return brokers_; }
  const std::string& prefix() const { return prefix_; }
  std::string topic(std::string_view suffix) const { return topics::full(prefix_, suffix); }

  /// What every process of this world is told beyond the usual.
  std::map<std::string, std::string> properties;
  Duration retry_in_memory_max = limits::retry_in_memory_max;

  void produce_raw(std::string_view suffix, const RawRecord& record) {
    rd_kafka_headers_t* headers = rd_kafka_headers_new(record.headers.size());
    for (const auto& [name, value] : record.headers)
      rd_kafka_header_add(headers, name.c_str(), -1, value.data(),
                          static_cast<ssize_t>(value.size()));
    const std::string name = topic(suffix);
    std::array<rd_kafka_vu_t, 5> parts{};
    parts[0].vtype = RD_KAFKA_VTYPE_TOPIC;
    parts[0].u.cstr = name.c_str();
    parts[1].vtype = RD_KAFKA_VTYPE_KEY;
    parts[1].u.mem = {const_cast<char*>(record.key.data()), record.key.size()};
    parts[2].vtype = RD_KAFKA_VTYPE_VALUE;
    parts[2].u.mem = {const_cast<char*>(record.value.data()), record.value.size()};
    parts[3].vtype = RD_KAFKA_VTYPE_HEADERS;
    parts[3].u.headers = headers;
    parts[4].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    parts[4].u.i = RD_KAFKA_MSG_F_COPY;
    const KafkaError error(rd_kafka_produceva(producer_.get(), parts.data(), parts.size()));
    if (error) throw std::runtime_error(rd_kafka_error_string(error.get()));
    if (rd_kafka_flush(producer_.get(), 10'000)) throw std::runtime_error("not flushed");
  }

  /// All there is in a topic now. Blocks.
  std::vector<RawRecord> read_all(std::string_view suffix) const {
    const auto reader = make_client(
        RD_KAFKA_CONSUMER,
        make_config({brokers_, {{"group.id", "none"}, {"enable.auto.commit", "false"}}}));
    rd_kafka_poll_set_consumer(reader.get());
    const std::string name = topic(suffix);
    TopicPartitions all(rd_kafka_topic_partition_list_new(partitions));
    std::int64_t left = 0;
    for (int number = 0; number < partitions; ++number) {
      std::int64_t low = 0;
      std::int64_t high = 0;
      rd_kafka_query_watermark_offsets(reader.get(), name.c_str(), number, &low, &high, 10'000);
      left += high - low;
      rd_kafka_topic_partition_list_add(all.get(), name.c_str(), number)->offset = low;
    }
    rd_kafka_assign(reader.get(), all.get());
    std::vector<RawRecord> records;
    while (left-- > 0) {
      const Message message(rd_kafka_consumer_poll(reader.get(), 10'000));
      if (!message || message->err) throw std::runtime_error("a record did not come");
      records.push_back(raw(message.get()));
    }
    return records;
  }

  /// How many records of the group's topics lie beyond what it committed. Blocks.
  std::int64_t uncommitted() const {
    const auto reader = make_client(RD_KAFKA_CONSUMER,
                                    make_config({brokers_, {{"group.id", prefix_ + "-workers"}}}));
    TopicPartitions all(rd_kafka_topic_partition_list_new(16));
    for (const auto& name : topics_) {
      if (name.ends_with(topics::dead) || name.ends_with(topics::results)) continue;
      for (int number = 0; number < partitions; ++number)
        rd_kafka_topic_partition_list_add(all.get(), name.c_str(), number);
    }
    if (rd_kafka_committed(reader.get(), all.get(), 10'000)) throw std::runtime_error("committed");
    std::int64_t waiting = 0;
    for (int i = 0; i < all->cnt; ++i) {
      const auto& at = all->elems[i];
      std::int64_t low = 0;
      std::int64_t high = 0;
      rd_kafka_query_watermark_offsets(reader.get(), at.topic, at.partition, &low, &high, 10'000);
      waiting += high - std::max(low, at.offset);
    }
    return waiting;
  }

 private:
  class Process final : public QueueProcess {
   public:
    explicit Process(KafkaQueueOptions options) : queue_(std::move(options)) {}
    std::unique_ptr<JobQueue> port(Clock& clock) override { return queue_.port(clock); }

   private:
    KafkaQueue queue_;
  };

  static RawRecord raw(rd_kafka_message_t* message) {
    RawRecord record;
    record.key.assign(static_cast<const char*>(message->key), message->key_len);
    record.value.assign(static_cast<const char*>(message->payload), message->len);
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(message, &headers)) return record;
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t bytes = 0;
    for (std::size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &bytes); ++i)
      record.headers[name].assign(static_cast<const char*>(value), bytes);
    return record;
  }

  void create() {
    std::array<char, 512> reason{};
    std::vector<rd_kafka_NewTopic_t*> wanted;
    for (const auto& name : topics_)
      wanted.push_back(
          rd_kafka_NewTopic_new(name.c_str(), partitions, 1, reason.data(), reason.size()));
    const Queue answers(rd_kafka_queue_new(producer_.get()));
    rd_kafka_CreateTopics(producer_.get(), wanted.data(), wanted.size(), nullptr, answers.get());
    const Event answer(rd_kafka_queue_poll(answers.get(), 30'000));
    rd_kafka_NewTopic_destroy_array(wanted.data(), wanted.size());
    if (!answer || rd_kafka_event_error(answer.get())) throw std::runtime_error("no topics made");
    while (!known()) {  // a consumer that comes too early looks again seconds later
    }
  }

  /// The broker tells others of every topic.
  bool known() const {
    const struct rd_kafka_metadata* found = nullptr;
    if (rd_kafka_metadata(producer_.get(), 1, nullptr, &found, 10'000)) return false;
    std::size_t count = 0;
    for (int i = 0; i < found->topic_cnt; ++i) {
      const auto& topic = found->topics[i];
      if (std::string_view(topic.topic).starts_with(prefix_) && topic.partition_cnt == partitions)
        ++count;
    }
    rd_kafka_metadata_destroy(found);
    return count == topics_.size();
  }

  void remove() {
    std::vector<rd_kafka_DeleteTopic_t*> unwanted;
    for (const auto& name : topics_) unwanted.push_back(rd_kafka_DeleteTopic_new(name.c_str()));
    const Queue answers(rd_kafka_queue_new(producer_.get()));
    rd_kafka_DeleteTopics(producer_.get(), unwanted.data(), unwanted.size(), nullptr,
                          answers.get());
    const Event answer(rd_kafka_queue_poll(answers.get(), 30'000));
    rd_kafka_DeleteTopic_destroy_array(unwanted.data(), unwanted.size());
  }

  std::string brokers_;
  std::string prefix_;
  std::vector<std::string> topics_;
  Client producer_;
};

}  // namespace millrace::kafka
