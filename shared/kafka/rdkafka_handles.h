#pragma once
// Only for the .cpp files of this folder: it brings librdkafka's header along.
#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>

#include "shared/kafka/client_settings.h"

/// Owners of what librdkafka hands out.
namespace millrace::kafka {

template <auto destroy>
struct DestroyBy {
  template <class T>
  void operator()(T* handle) const noexcept {
    destroy(handle);
  }
};

/// Waits for the client's threads to end; what it produced and has not delivered is dropped.
using DestroyClient = DestroyBy<rd_kafka_destroy>;
using DestroyQueue = DestroyBy<rd_kafka_queue_destroy>;

using Client = std::unique_ptr<rd_kafka_t, DestroyClient>;
using Queue = std::unique_ptr<rd_kafka_queue_t, DestroyQueue>;
using Event = std::unique_ptr<rd_kafka_event_t, DestroyBy<rd_kafka_event_destroy>>;
using Message = std::unique_ptr<rd_kafka_message_t, DestroyBy<rd_kafka_message_destroy>>;
using RecordHeaders = std::unique_ptr<rd_kafka_headers_t, DestroyBy<rd_kafka_headers_destroy>>;
using TopicPartitions = std::unique_ptr<rd_kafka_topic_partition_list_t,
                                        DestroyBy<rd_kafka_topic_partition_list_destroy>>;
using KafkaError = std::unique_ptr<rd_kafka_error_t, DestroyBy<rd_kafka_error_destroy>>;

/// Starts a client and its threads; it needs no broker to be up. Throws std::invalid_argument
/// with librdkafka's reason where properties contradict each other.
Client make_client(rd_kafka_type_t type, ConfigHandle config);

}  // namespace millrace::kafka
