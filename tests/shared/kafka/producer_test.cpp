#include "shared/kafka/producer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <thread>

#include "tests/seams/test_loop.h"
#include "tests/shared/kafka/mock_cluster.h"
#include "tests/shared/kafka/real_kafka.h"

namespace millrace::kafka {
namespace {

Task<> send_one(Clock& clock, Producer& producer, std::string topic, std::string value,
                Result<>& result) {
  result = co_await producer.produce(clock, topic, "a key", value, {{"millrace-kind", "chat"}});
}

Result<> send(Producer& producer, std::string value, std::string topic = "jobs") {
  TestLoop loop;
  return loop.get(producer.produce(loop.clock(), topic, "a key", value, {}));
}

Errc failure(Producer& producer, std::string value = "{}", std::string topic = "jobs") {
  const auto result = send(producer, std::move(value), std::move(topic));
  return result ? Errc{} : result.error();
}

Task<> until(Clock& clock, Producer& producer, bool ready, bool& came) {
  const auto deadline = clock.now() + 10s;
  while (producer.ready() != ready && clock.now() < deadline) co_await clock.sleep_for(5ms);
  came = producer.ready() == ready;
}

bool comes_to(Producer& producer, bool ready) {
  TestLoop loop;
  bool came = false;
  loop.run_one(until(loop.clock(), producer, ready, came));
  return came;
}

TEST(Producer, ARecordThatIsAcknowledgedIsOk) {
  MockCluster cluster;
  Producer producer({cluster.brokers(), {}});
  EXPECT_TRUE(send(producer, "{}"));
}

TEST(Producer, IsReadyOnceTheClusterHasAnsweredWithoutAnyTraffic) {
  MockCluster cluster;
  Producer producer({cluster.brokers(), {}});
  EXPECT_TRUE(comes_to(producer, true));
}

TEST(Producer, ManyRecordsOfSeveralLoopsAreAllAnswered) {
  MockCluster cluster;
  Producer producer({cluster.brokers(), {}});
  std::atomic<int> sent = 0;
  const auto use = [&] {
    TestLoop loop;
    std::vector<Result<>> results(2000, Failure(Errc::closed));
    std::vector<Task<>> tasks;
    for (auto& result : results) {
      tasks.push_back(send_one(loop.clock(), producer, "jobs", std::string(400, 'x'), result));
    }
    loop.run(std::move(tasks));
    for (const auto& result : results) sent += result.has_value() ? 1 : 0;
  };
  {
    const std::jthread first(use);
    const std::jthread second(use);
  }
  EXPECT_EQ(sent, 4000);
}

TEST(Producer, ARecordTooLargeIsInvalidAtOnce) {
  MockCluster cluster;
  Producer producer({cluster.brokers(), {{"message.max.bytes", "1000"}}});
  EXPECT_EQ(failure(producer, std::string(2000, 'x')), Errc::invalid);
}

TEST(Producer, AnErrorOfTheBrokerThatWillNotPassIsInvalid) {
  MockCluster cluster;
  cluster.fail_produce({RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED});
  Producer producer({cluster.brokers(), {}});
  EXPECT_EQ(failure(producer), Errc::invalid);
}

TEST(Producer, AnErrorOfTheBrokerThatPassesIsTriedAgain) {
  MockCluster cluster;
  cluster.fail_produce(
      {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS});
  Producer producer({cluster.brokers(), {}});
  EXPECT_TRUE(send(producer, "{}"));
}

using ProducerOnKafka = RealKafka;

/// The second is refused by librdkafka itself, headers and all, without a report.
TEST_F(ProducerOnKafka, ARecordForATopicThatDoesNotExistIsInvalidHoweverOftenItIsSent) {
  settings.properties["topic.metadata.propagation.max.ms"] = "500";
  Producer producer(settings);
  TestLoop loop;
  for (int time = 0; time < 2; ++time) {
    Result<> result;
    loop.run_one(send_one(loop.clock(), producer, prefix + ".none", "{}", result));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error(), Errc::invalid);
  }
}

TEST(Producer, AFullBufferIsOverload) {
  MockCluster cluster;
  Producer producer({cluster.brokers(), {{"queue.buffering.max.messages", "2"}}});
  cluster.answer_after_ms(300);
  TestLoop loop;
  std::vector<Result<>> results(5, Failure(Errc::closed));
  std::vector<Task<>> tasks;
  for (auto& result : results) {
    tasks.push_back(send_one(loop.clock(), producer, "jobs", "{}", result));
  }
  loop.run(std::move(tasks));
  EXPECT_TRUE(results[0] && results[1]);
  for (std::size_t i = 2; i < results.size(); ++i) {
    ASSERT_FALSE(results[i]);
    EXPECT_EQ(results[i].error(), Errc::overloaded);
  }
}

TEST(Producer, ARecordThatWasNeverSentIsUnavailable) {
  Producer producer({"127.0.0.1:1", {{"message.timeout.ms", "500"}}});
  EXPECT_EQ(failure(producer), Errc::unavailable);
  EXPECT_FALSE(producer.ready());
}

TEST(Producer, ARecordThatWasSentAndNotAnsweredIsTimedOut) {
  MockCluster cluster;
  Producer producer({cluster.brokers(), {{"message.timeout.ms", "800"}}});
  ASSERT_TRUE(send(producer, "{}"));
  cluster.answer_after_ms(60'000);
  EXPECT_EQ(failure(producer), Errc::timed_out);
}

TEST(Producer, AClusterThatIsAwayIsRefusedAtOnceAndHeardOfWhenItIsBack) {
  MockCluster cluster;
  Producer producer({cluster.brokers(), {{"message.timeout.ms", "2500"}}});
  ASSERT_TRUE(comes_to(producer, true));
  cluster.go_away();
  ASSERT_TRUE(comes_to(producer, false));
  EXPECT_EQ(failure(producer), Errc::unavailable) << "waits for its time, by which 2 s are over";

  asio::io_context loop;
  LoopClock clock(loop);
  const auto before = clock.now();
  EXPECT_EQ(failure(producer), Errc::unavailable);
  EXPECT_LT(clock.now() - before, 100ms);

  cluster.come_back();
  EXPECT_TRUE(comes_to(producer, true));
  EXPECT_TRUE(send(producer, "{}"));
}

Task<bool> send_until_taken(Clock& clock, Producer& producer) {
  const auto deadline = clock.now() + 10s;
  while (clock.now() < deadline) {
    const auto sent = co_await producer.produce(clock, "jobs", "k", "{}", {});
    if (sent) co_return true;
    co_await clock.sleep_for(10ms);
  }
  co_return false;
}

TEST(Producer, AClientThatIsBrokenForGoodIsReplaced) {
  MockCluster cluster;
  Producer producer({cluster.brokers(), {}});
  ASSERT_TRUE(send(producer, "{}"));
  cluster.fail_produce({RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER});
  EXPECT_FALSE(send(producer, "{}"));
  TestLoop loop;
  EXPECT_TRUE(loop.get(send_until_taken(loop.clock(), producer)));
}

Task<> expect_cancelled(Clock& clock, Producer& producer, bool& cancelled) {
  try {
    co_await producer.produce(clock, "jobs", "k", "v", {});
  } catch (const boost::system::system_error& error) {
    cancelled = error.code() == asio::error::operation_aborted;
  }
}

TEST(Producer, ALoopMayEndWhileARecordOfACancelledTaskIsOnItsWay) {
  MockCluster cluster;
  Producer producer({cluster.brokers(), {}});
  ASSERT_TRUE(send(producer, "{}"));
  cluster.answer_after_ms(100);
  for (int round = 0; round < 20; ++round) {
    asio::io_context loop(1);
    LoopClock clock(loop);
    asio::cancellation_signal stop;
    bool cancelled = false;
    asio::co_spawn(loop, expect_cancelled(clock, producer, cancelled),
                   asio::bind_cancellation_slot(stop.slot(), [](std::exception_ptr) {}));
    loop.poll();
    stop.emit(asio::cancellation_type::terminal);
    loop.run();
    EXPECT_TRUE(cancelled);
  }
  EXPECT_TRUE(send(producer, "{}")) << "by now every report has come";
}

TEST(Producer, WhoStillWaitsWhenItEndsIsAnswered) {
  MockCluster cluster;
  asio::io_context loop(1);
  LoopClock clock(loop);
  Result<> result = Failure(Errc::closed);
  {
    Producer producer({cluster.brokers(), {}});
    asio::co_spawn(loop, send_one(clock, producer, "jobs", "{}", result),
                   [](std::exception_ptr) {});
    loop.poll();
  }
  loop.run();
  EXPECT_TRUE(result);
}

}  // namespace
}  // namespace millrace::kafka
