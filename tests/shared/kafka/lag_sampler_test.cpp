#include "shared/kafka/lag_sampler.h"

#include <cstring>

#include "shared/kafka/producer.h"
#include "shared/kafka/topic_admin.h"
#include "shared/runtime/limits.h"
#include "tests/seams/test_loop.h"
#include "tests/shared/kafka/real_kafka.h"
#include "tests/shared/kafka/topic_reader.h"

namespace millrace::kafka {
namespace {

class Lag : public RealKafka {
 protected:
  void SetUp() override {
    RealKafka::SetUp();
    if (IsSkipped()) return;
    const auto created = create_topics(settings, prefix);
    ASSERT_TRUE(created) << created.error();
    topic = topics::full(prefix, "jobs.chat");
  }

  void produce(const std::string& key, int count) {
    Producer producer(settings);
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(loop.get(producer.produce(loop.clock(), topic, key, "{}", {})));
    }
  }

  void commit(int partition, std::int64_t offset, const std::string& metadata) {
    const auto client =
        make_client(RD_KAFKA_CONSUMER, make_config(settings, {{"group.id", prefix}}));
    const TopicPartitions list(rd_kafka_topic_partition_list_new(1));
    auto* const at = rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition);
    at->offset = offset;
    at->metadata = strdup(metadata.c_str());  // librdkafka frees it
    at->metadata_size = metadata.size();
    ASSERT_EQ(rd_kafka_commit(client.get(), list.get(), 0), RD_KAFKA_RESP_ERR_NO_ERROR);
  }

  static Task<> wait_for(Clock& clock, const LagSampler& sampler, std::string key,
                         std::int64_t waiting, std::optional<QueueLag>& lag) {
    const auto deadline = clock.now() + 10s;
    do {
      co_await clock.sleep_for(20ms);
      lag = sampler.lag("jobs.chat", key);
    } while (clock.now() < deadline && (!lag || lag->waiting != waiting));
  }

  std::int64_t waiting(const LagSampler& sampler, const std::string& key, std::int64_t expected) {
    std::optional<QueueLag> lag;
    loop.run_one(wait_for(loop.clock(), sampler, key, expected, lag));
    return lag ? lag->waiting : -1;
  }

  TestLoop loop;
  std::string topic;
};

TEST_F(Lag, IsWhatTheGroupHasNotFinishedInThePartitionOfTheKey) {
  produce("a key", 20);
  const LagSampler sampler(settings, prefix, prefix);
  EXPECT_EQ(waiting(sampler, "a key", 20), 20) << "before the first commit";
  const int partition = murmur2_partition("a key", limits::partitions);
  commit(partition, 5, "");
  EXPECT_EQ(waiting(sampler, "a key", 15), 15);
  commit(partition, 5, "d20;m1;5;1+4,.");
  EXPECT_EQ(waiting(sampler, "a key", 11), 11) << "finished beyond the position";
  std::string other = "other";
  while (murmur2_partition(other, limits::partitions) == partition) other += 'x';
  EXPECT_EQ(sampler.lag("jobs.chat", other)->waiting, 0);
  EXPECT_FALSE(sampler.lag("no.such", other));
}

TEST_F(Lag, KeysAreWhereTheProducerPutThem) {
  Producer producer(settings);
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(
        loop.get(producer.produce(loop.clock(), topic, "key " + std::to_string(i), "{}", {})));
  }
  const auto records = read_topic(settings, topic, limits::partitions);
  ASSERT_EQ(records.size(), 40u);
  for (const auto& record : records) {
    EXPECT_EQ(record.partition, murmur2_partition(record.key, limits::partitions)) << record.key;
  }
}

TEST(LagWithoutABroker, IsNotKnown) {
  const LagSampler sampler({"127.0.0.1:1", {}}, "millrace", "group");
  EXPECT_FALSE(sampler.lag("jobs.chat", "k"));
}

}  // namespace
}  // namespace millrace::kafka
