#pragma once
#include "shared/kafka/kafka_queue.h"
#include "shared/runtime/config.h"

namespace millrace {

/// What the configuration says of the queue, for a process with so many loops that take jobs.
inline KafkaQueueOptions queue_options(const Config& config, std::uint32_t taking_ports) {
  KafkaQueueOptions options;
  options.brokers = config.kafka_brokers;
  options.properties = config.kafka_properties;
  options.prefix = config.topic_prefix;
  options.group = config.group;
  options.taking_ports = taking_ports;
  options.jobs_in_flight = config.jobs_in_flight;
  return options;
}

}  // namespace millrace
