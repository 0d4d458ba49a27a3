#include "shared/kafka/dead_letters.h"

#include "shared/contract/envelope.h"
#include "shared/contract/topics.h"
#include "shared/kafka/producer.h"
#include "shared/kafka/topic_admin.h"
#include "shared/runtime/limits.h"
#include "tests/seams/test_loop.h"
#include "tests/shared/kafka/real_kafka.h"
#include "tests/shared/kafka/topic_reader.h"

namespace millrace::kafka {
namespace {

class DeadLetters : public RealKafka {
 protected:
  void SetUp() override {
    RealKafka::SetUp();
    if (IsSkipped()) return;
    const auto created = create_topics(settings, prefix);
    ASSERT_TRUE(created) << created.error();
    producer.emplace(settings);
  }

  Job new_job() {
    Job job;
    job.id = new_job_id(loop.clock().wall(), random);
    job.input = "\"hello\"";
    job.created_at = loop.clock().wall();
    job.deadline = job.created_at + 24h;
    job.envelope = encode_envelope(job);
    return job;
  }

  void bury(std::string key, std::string value, std::string origin) {
    ASSERT_TRUE(
        loop.get(producer->produce(loop.clock(), topics::full(prefix, topics::dead), key, value,
                                   {{topics::kind_header, "chat"},
                                    {topics::attempt_header, "5"},
                                    {topics::reason_header, "upstream said no"},
                                    {topics::origin_header, origin}})));
  }
  Job bury_one() {
    const auto job = new_job();
    bury(job.key(), job.envelope, topics::full(prefix, "jobs.chat"));
    return job;
  }

  RedriveCount run(std::optional<JobId> only = {}) {
    const auto count =
        redrive(settings, prefix, only, [this](const Redriven& one) { told.push_back(one); });
    EXPECT_TRUE(count) << count.error();
    return count.value_or(RedriveCount{});
  }
  std::vector<ReadRecord> jobs() {
    return read_topic(settings, topics::full(prefix, "jobs.chat"), limits::partitions);
  }

  SystemRandom random;
  TestLoop loop;
  std::optional<Producer> producer;
  std::vector<Redriven> told;
};

TEST_F(DeadLetters, GoToTheQueueAsNewJobs) {
  const auto old = bury_one();
  EXPECT_EQ(run().sent, 1u);
  const auto sent = jobs();
  ASSERT_EQ(sent.size(), 1u);
  const auto read = decode_envelope(sent[0].value);
  const Job& job = std::get<Job>(read);
  EXPECT_NE(job.id, old.id);
  EXPECT_EQ(job.input, old.input);
  EXPECT_EQ(job.metadata, R"({"redriven_from":")" + old.id.str() + "\"}");
  EXPECT_EQ(sent[0].key, job.key());
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].from, old.id);
  EXPECT_EQ(told[0].job->id, job.id);
  const std::map<std::string, std::string> headers{{topics::attempt_header, "1"},
                                                   {topics::kind_header, "chat"}};
  EXPECT_EQ(sent[0].headers, headers);
}

TEST_F(DeadLetters, OfOneSessionGoToItsTopicUnderItsKey) {
  Job old = new_job();
  old.session = "s";
  old.envelope = encode_envelope(old);
  bury(old.key(), old.envelope, topics::full(prefix, "retry.30s"));
  EXPECT_EQ(run().sent, 1u);
  const auto sent = read_topic(settings, topics::full(prefix, "jobs.session"), limits::partitions);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].key, old.key());
}

TEST_F(DeadLetters, ASecondCopyOfALetterMakesNoSecondJob) {
  const auto old = bury_one();
  bury(old.key(), old.envelope, topics::full(prefix, "jobs.chat"));
  EXPECT_EQ(run().sent, 2u);
  EXPECT_EQ(told[0].job->id, told[1].job->id) << "begin drops one of them";
  EXPECT_EQ(run(old.id).sent, 1u);
  EXPECT_NE(told[2].job->id, told[0].job->id) << "asked for by name it is another job";
}

TEST_F(DeadLetters, AreSentOnceByRepeatedRuns) {
  for (int i = 0; i < 30; ++i) bury_one();
  EXPECT_EQ(run().sent, 30u);
  EXPECT_EQ(run().sent, 0u);
  bury_one();
  EXPECT_EQ(run().sent, 1u);
  EXPECT_EQ(jobs().size(), 31u);
}

TEST_F(DeadLetters, OneJobIsSentAloneAndEveryTimeItIsAskedFor) {
  const auto job = bury_one();
  bury_one();
  EXPECT_EQ(run(job.id).sent, 1u);
  EXPECT_EQ(run(job.id).sent, 1u);
  EXPECT_EQ(run(new_job().id).sent, 0u);
  EXPECT_EQ(run().sent, 2u) << "one job's run is remembered nowhere";
}

TEST_F(DeadLetters, ThatNobodyCanReadGoBackAsTheyAre) {
  const std::string newer = R"({"v":2,"id":"0190a000-0000-7000-8000-000000000001"})";
  bury("k", newer, topics::full(prefix, "jobs.chat"));
  bury("k", "not an envelope", topics::full(prefix, "jobs.chat"));
  EXPECT_EQ(run().sent, 2u);
  const auto sent = jobs();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].key, "k");
  EXPECT_EQ(sent[0].value, newer);
  EXPECT_EQ(sent[1].value, "not an envelope");
  ASSERT_EQ(told.size(), 2u);
  EXPECT_FALSE(told[0].from || told[0].job);
}

TEST_F(DeadLetters, ThatNobodyCanReadAndThatCameFromElsewhereAreSkipped) {
  bury("k", "not an envelope", "somebody-elses.topic");
  const auto count = run();
  EXPECT_EQ(count.sent, 0u);
  EXPECT_EQ(count.skipped, 1u);
  EXPECT_TRUE(jobs().empty());
}

TEST_F(DeadLetters, NoneIsNoError) {
  EXPECT_EQ(run().sent, 0u);
}

TEST_F(DeadLetters, AMissingTopicIsASentence) {
  const auto count = redrive(settings, prefix + "-none", {}, [](const Redriven&) {});
  ASSERT_FALSE(count);
  EXPECT_NE(count.error().find("millrace migrate"), std::string::npos) << count.error();
}

}  // namespace
}  // namespace millrace::kafka
