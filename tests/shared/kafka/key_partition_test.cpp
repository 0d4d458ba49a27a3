#include "shared/kafka/key_partition.h"

#include <gtest/gtest.h>

#include <string>

#include "shared/kafka/rdkafka_handles.h"

namespace millrace::kafka {
namespace {

TEST(KeyPartition, HashesAsKafkasJavaClientDoes) {  // the vectors of its UtilsTest
  const auto hash = [](std::string_view key) { return static_cast<std::int32_t>(murmur2(key)); };
  EXPECT_EQ(hash("21"), -973932308);
  EXPECT_EQ(hash("foobar"), -790332482);
  EXPECT_EQ(hash("a-little-bit-long-string"), -985981536);
  EXPECT_EQ(hash("a-little-bit-longer-string"), -1486304829);
  EXPECT_EQ(hash("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"), -58897971);
  EXPECT_EQ(hash("abc"), 479470107);
}

TEST(KeyPartition, PlacesKeysAsLibrdkafkaDoes) {
  std::string key;
  for (int i = 1; i < 2000; ++i) {
    key.push_back(static_cast<char>(i * 37));
    if (key.size() > 40) key.clear();
    if (key.empty()) continue;
    for (const int partitions : {1, 3, 12, 100}) {
      ASSERT_EQ(murmur2_partition(key, partitions),
                rd_kafka_msg_partitioner_murmur2(nullptr, key.data(), key.size(), partitions,
                                                 nullptr, nullptr));
    }
  }
}

}  // namespace
}  // namespace millrace::kafka
