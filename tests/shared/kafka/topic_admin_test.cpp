#include "shared/kafka/topic_admin.h"

#include <algorithm>

#include "shared/contract/topics.h"
#include "shared/kafka/producer.h"
#include "tests/seams/test_loop.h"
#include "tests/shared/kafka/real_kafka.h"

namespace millrace::kafka {
namespace {

class TopicAdmin : public RealKafka {};

TEST_F(TopicAdmin, CreatesEveryTopicOnceAndTheyTakeRecordsAtOnce) {
  const auto created = create_topics(settings, prefix);
  ASSERT_TRUE(created) << created.error();
  EXPECT_EQ(created->size(), 10u);
  for (const auto* suffix : {"jobs.session", "retry.30s", "results", "dead"}) {
    EXPECT_NE(std::ranges::find(*created, topics::full(prefix, suffix)), created->end()) << suffix;
  }
  Producer producer(settings);
  TestLoop loop;
  for (const auto& topic : *created) {
    EXPECT_TRUE(loop.get(producer.produce(loop.clock(), topic, "k", "v", {}))) << topic;
  }
  const auto again = create_topics(settings, prefix);
  ASSERT_TRUE(again) << again.error();
  EXPECT_TRUE(again->empty());
}

TEST_F(TopicAdmin, AProducerCallsATopicThatDoesNotExistInvalid) {
  Producer producer(settings);
  TestLoop loop;
  const auto sent = loop.get(producer.produce(loop.clock(), prefix + ".none", "k", "v", {}));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error(), Errc::invalid);
}

TEST_F(TopicAdmin, ARefusedNameIsASentence) {
  const auto created = create_topics(settings, "no good");
  ASSERT_FALSE(created);
  EXPECT_NE(created.error().find("no good.jobs"), std::string::npos) << created.error();
}

TEST(TopicAdminWithoutABroker, SaysWhatToDo) {
  const auto created = create_topics({"127.0.0.1:1", {}}, "millrace");
  ASSERT_FALSE(created);
  EXPECT_NE(created.error().find("KAFKA_BROKERS"), std::string::npos) << created.error();
}

TEST(TopicAdminWithoutABroker, ARefusedPropertyIsAnError) {
  const auto created = create_topics({"127.0.0.1:1", {{"no.such", "1"}}}, "millrace");
  ASSERT_FALSE(created);
  EXPECT_NE(created.error().find("'no.such'"), std::string::npos) << created.error();
}

}  // namespace
}  // namespace millrace::kafka
