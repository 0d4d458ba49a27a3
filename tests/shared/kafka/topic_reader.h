#pragma once
#include <map>
#include <string>
#include <vector>

#include "shared/kafka/rdkafka_handles.h"

namespace millrace::kafka {

struct ReadRecord {
  int partition;
  std::string key, value;
  std::map<std::string, std::string> headers;
};

/// Everything that stands in a topic now.
inline std::vector<ReadRecord> read_topic(const ClientSettings& settings, const std::string& topic,
                                          int partitions) {
  const auto reader = make_client(
      RD_KAFKA_CONSUMER,
      make_config(settings, {{"group.id", "test-reader"}, {"enable.partition.eof", "true"}}));
  rd_kafka_poll_set_consumer(reader.get());
  const TopicPartitions all(rd_kafka_topic_partition_list_new(partitions));
  for (int partition = 0; partition < partitions; ++partition) {
    rd_kafka_topic_partition_list_add(all.get(), topic.c_str(), partition)->offset =
        RD_KAFKA_OFFSET_BEGINNING;
  }
  rd_kafka_assign(reader.get(), all.get());
  std::vector<ReadRecord> records;
  for (int at_end = 0; at_end < partitions;) {
    const Message message(rd_kafka_consumer_poll(reader.get(), 10'000));
    if (!message) break;
    if (message->err) {
      at_end += message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF ? 1 : 0;
      continue;
    }
    ReadRecord record{.partition = message->partition,
                      .key = {static_cast<const char*>(message->key), message->key_len},
                      .value = {static_cast<const char*>(message->payload), message->len},
                      .headers = {}};
    rd_kafka_headers_t* headers = nullptr;
    if (!rd_kafka_message_headers(message.get(), &headers)) {
      const char* name = nullptr;
      const void* value = nullptr;
      std::size_t size = 0;
      for (std::size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &size); ++i) {
        record.headers[name] = {static_cast<const char*>(value), size};
      }
    }
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace millrace::kafka
