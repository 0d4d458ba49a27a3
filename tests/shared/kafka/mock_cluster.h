#pragma once
#include <initializer_list>
#include <string>

#include "shared/kafka/rdkafka_handles.h"
// This one needs rdkafka.h before it.
#include <librdkafka/rdkafka_mock.h>

namespace millrace::kafka {

/// librdkafka's own broker, in this process: it can be told to fail, to be slow and to go away.
class MockCluster {
 public:
  MockCluster()
      : host_(make_client(RD_KAFKA_PRODUCER, make_config({"127.0.0.1:1", {{"log_level", "0"}}}))),
        cluster_(rd_kafka_mock_cluster_new(host_.get(), 1)) {}
  ~MockCluster() { rd_kafka_mock_cluster_destroy(cluster_); }

  std::string brokers() const { return rd_kafka_mock_cluster_bootstraps(cluster_); }
  void go_away() { rd_kafka_mock_broker_set_down(cluster_, 1); }
  void come_back() { rd_kafka_mock_broker_set_up(cluster_, 1); }
  void answer_after_ms(int rtt_ms) { rd_kafka_mock_broker_set_rtt(cluster_, 1, rtt_ms); }
  void create_topic(const char* name, int partitions) {
    rd_kafka_mock_topic_create(cluster_, name, partitions, 1);
  }
  /// The next produce requests are answered with these errors, one each.
  void fail_produce(std::initializer_list<rd_kafka_resp_err_t> errors) {
    constexpr int16_t produce_request = 0;
    rd_kafka_mock_push_request_errors_array(cluster_, produce_request, errors.size(),
                                            errors.begin());
  }

 private:
  Client host_;
  rd_kafka_mock_cluster_t* cluster_;
};

}  // namespace millrace::kafka
