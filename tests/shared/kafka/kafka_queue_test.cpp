#include "shared/kafka/kafka_queue.h"

#include <gtest/gtest.h>

#include "tests/seams/job_queue_suite.h"
#include "tests/shared/kafka/kafka_world.h"

namespace millrace {
namespace {

using kafka::KafkaWorld;
using kafka::RawRecord;

std::unique_ptr<QueueWorld> make_kafka_world() {
  return std::make_unique<KafkaWorld>();
}

/// What only this adapter promises: what stands in which topic.
class KafkaQueueTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto missing = world_.missing(); !missing.empty()) GTEST_SKIP() << missing;
  }
  void play(Task<> (*body)(QueueStage&, KafkaWorld&)) {
    QueueStage stage(world_, loop_.clock());
    loop_.run_one(stage.play(body(stage, world_)));
  }

  TestLoop loop_;
  KafkaWorld world_;
};

/// Waits until a topic holds so many records, and a little longer for one too many.
Task<std::vector<RawRecord>> records(KafkaWorld& world, Clock& clock, std::string_view suffix,
                                     std::size_t count) {
  const Instant patience_ends = clock.now() + 20s;
  while (world.read_all(suffix).size() < count && clock.now() < patience_ends)
    co_await clock.sleep_for(100ms);
  co_await clock.sleep_for(200ms);
  co_return world.read_all(suffix);
}

Task<> dead_once(QueueStage& stage, KafkaWorld& world) {
  auto& worker = stage.worker();
  const Job job = stage.job("s");
  co_await queue_suite::put(worker.queue(), job);
  const auto got = co_await worker.take();
  co_await queue_suite::settle(worker.queue(), got, Dead{"the model refused: no such model"});
  co_await queue_suite::settle(worker.queue(), got, Dead{"again"});
  const auto dead = co_await records(world, stage.clock, topics::dead, 1);
  EXPECT_EQ(dead.size(), 1u) << "settled twice, dead twice";
  if (dead.empty()) co_return;
  const auto& letter = dead.front();
  EXPECT_EQ(letter.key, job.key());
  EXPECT_EQ(letter.value, job.envelope);
  EXPECT_EQ(letter.headers.at(topics::reason_header), "the model refused: no such model");
  EXPECT_EQ(letter.headers.at(topics::kind_header), "chat");
  EXPECT_EQ(letter.headers.at(topics::attempt_header), "1");
  EXPECT_EQ(letter.headers.at(topics::origin_header), world.topic("jobs.session"));
  co_await worker.end();
  EXPECT_EQ(world.uncommitted(), 0);
}

Task<> trace_is_told(QueueStage& stage, KafkaWorld& world) {
  auto& worker = stage.worker();
  Job job = stage.job();
  job.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  job.envelope = encode_envelope(job);
  co_await queue_suite::put(worker.queue(), job);
  const auto got = co_await worker.take();
  EXPECT_EQ(got.job.traceparent, job.traceparent);
  co_await queue_suite::settle(worker.queue(), got, Dead{"why"});
  const auto dead = co_await records(world, stage.clock, topics::dead, 1);
  EXPECT_EQ(world.read_all("jobs.chat").at(0).headers.at("traceparent"), job.traceparent);
  EXPECT_EQ(dead.at(0).headers.at("traceparent"), job.traceparent);
}

Task<> malformed_is_dead(QueueStage& stage, KafkaWorld& world) {
  world.produce_raw("jobs.chat", {"k", "{\"v\":1,", {}});
  world.produce_raw("jobs.chat", {"", "", {}});
  world.produce_raw("jobs.chat", {"k", "not even JSON \xff", {}});
  auto& worker = stage.worker();
  co_await queue_suite::put(worker.queue(), stage.job());
  const auto got = co_await worker.take();
  co_await queue_suite::settle(worker.queue(), got, Done{});
  const auto dead = co_await records(world, stage.clock, topics::dead, 3);
  EXPECT_EQ(dead.size(), 3u);
  for (const auto& letter : dead) {
    EXPECT_FALSE(letter.headers.at(topics::reason_header).empty());
    EXPECT_EQ(letter.headers.at(topics::origin_header), world.topic("jobs.chat"));
  }
  co_await worker.end();
  EXPECT_EQ(world.uncommitted(), 0);
}

constexpr auto newer_envelope = R"({"v":2,"id":"0190a000-0000-7000-8000-000000000001"})";

Task<> newer_waits_an_hour(QueueStage& stage, KafkaWorld& world) {
  world.produce_raw("jobs.chat", {"k", newer_envelope, {{topics::attempt_header, "1"}}});
  auto& worker = stage.worker();
  const auto got = co_await worker.take_within(1s);
  EXPECT_FALSE(got);
  const auto waiting = co_await records(world, stage.clock, "retry.1h", 1);
  EXPECT_EQ(waiting.size(), 1u);
  if (waiting.empty()) co_return;
  EXPECT_EQ(waiting[0].value, newer_envelope);
  EXPECT_EQ(waiting[0].headers.at(topics::origin_header), world.topic("jobs.chat"));
  const auto due = std::stoll(waiting[0].headers.at(topics::due_header));
  const auto hour_ahead = (stage.clock.wall() + 1h).time_since_epoch().count();
  EXPECT_NEAR(static_cast<double>(due), static_cast<double>(hour_ahead), 60'000.0);
  EXPECT_TRUE(world.read_all(topics::dead).empty());
}

/// What the hour's end brings back: the same record from the tier, due now.
Task<> newer_is_dead_after_its_hour(QueueStage& stage, KafkaWorld& world) {
  world.produce_raw("retry.1h", {"k",
                                 newer_envelope,
                                 {{topics::attempt_header, "1"},
                                  {topics::reason_header, "unknown_version"},
                                  {topics::due_header, "1000"},
                                  {topics::origin_header, world.topic("jobs.chat")}}});
  auto& worker = stage.worker();
  const auto dead = co_await records(world, stage.clock, topics::dead, 1);
  EXPECT_EQ(dead.size(), 1u);
  if (dead.empty()) co_return;
  EXPECT_EQ(dead[0].value, newer_envelope);
  EXPECT_NE(dead[0].headers.at(topics::reason_header).find("version"), std::string::npos);
  EXPECT_EQ(world.read_all("retry.1h").size(), 1u) << "it waited twice";
  co_await worker.end();
  EXPECT_EQ(world.uncommitted(), 0);
}

Task<> astray_is_dead(QueueStage& stage, KafkaWorld& world) {
  const Job job = stage.job();
  world.produce_raw("retry.30s", {job.key(), job.envelope, {{topics::due_header, "1000"}}});
  auto& worker = stage.worker();
  const auto dead = co_await records(world, stage.clock, topics::dead, 1);
  EXPECT_EQ(dead.size(), 1u) << "a retry copy that names no topic to return to was lost";
  co_await worker.end();
}

Task<> long_retry(QueueStage& stage, KafkaWorld& world) {
  auto& worker = stage.worker();
  const Job job = stage.job();
  co_await queue_suite::put(worker.queue(), job);
  const auto first = co_await worker.take();
  const Instant due = stage.clock.now() + 1s;
  co_await queue_suite::settle(worker.queue(), first, Retry{due});
  const auto waiting = co_await records(world, stage.clock, "retry.30s", 1);
  EXPECT_EQ(waiting.size(), 1u);
  const auto again = co_await worker.take();
  // The copy carries wall time to the millisecond.
  EXPECT_GE(stage.clock.now(), due - 2ms);
  EXPECT_LT(stage.clock.now(), due + 2s);
  EXPECT_EQ(again.job.id, job.id);
  EXPECT_EQ(again.job.envelope, job.envelope);
  EXPECT_EQ(again.attempt, 2u);
  EXPECT_TRUE(again.redelivered);
  co_await queue_suite::settle(worker.queue(), again, Done{});
  co_await worker.end();
  EXPECT_EQ(world.uncommitted(), 0);
}

Task<> many_long_retries(QueueStage& stage, KafkaWorld& world) {
  constexpr std::size_t jobs = 60;
  auto& worker = stage.worker();
  co_await queue_suite::put_all(worker.queue(), stage.clock, stage.jobs(jobs));
  for (std::size_t i = 0; i < jobs; ++i) {
    const auto got = co_await worker.take();
    co_await queue_suite::settle(worker.queue(), got, Retry{stage.clock.now() + 300ms});
  }
  std::set<JobId> again;
  for (std::size_t i = 0; i < jobs; ++i) {
    const auto got = co_await worker.take();
    EXPECT_EQ(got.attempt, 2u);
    again.insert(got.job.id);
    co_await queue_suite::settle(worker.queue(), got, Done{});
  }
  EXPECT_EQ(again.size(), jobs);
  co_await worker.end();
  EXPECT_EQ(world.uncommitted(), 0);
}

/// A tier's partition is paused while its first copy is not due; it must not stay so.
Task<> tier_changes_hands(QueueStage& stage, KafkaWorld& world) {
  constexpr std::size_t jobs = 20;
  auto& first = stage.worker();
  co_await queue_suite::put_all(first.queue(), stage.clock, stage.jobs(jobs));
  const Instant due = stage.clock.now() + 8s;
  for (std::size_t i = 0; i < jobs; ++i) {
    const auto got = co_await first.take();
    co_await queue_suite::settle(first.queue(), got, Retry{due});
  }
  const auto waiting = co_await records(world, stage.clock, "retry.30s", jobs);
  EXPECT_EQ(waiting.size(), jobs);
  co_await stage.clock.sleep_for(500ms);
  auto& second = stage.worker();
  co_await stage.clock.sleep_for(3s);
  co_await second.end();
  std::set<JobId> again;
  while (again.size() < jobs) {
    const auto got = co_await first.take();
    EXPECT_EQ(got.attempt, 2u);
    EXPECT_GE(stage.clock.now(), due - 2ms);
    again.insert(got.job.id);
    co_await queue_suite::settle(first.queue(), got, Done{});
  }
  co_await first.end();
  EXPECT_EQ(world.uncommitted(), 0);
}

Task<> one_unfinished_costs_one(QueueStage& stage, KafkaWorld& world) {
  constexpr std::size_t jobs = 300;
  auto& first = stage.worker();
  co_await queue_suite::put_all(first.queue(), stage.clock, stage.jobs(jobs));
  std::optional<JobId> left;
  for (std::size_t i = 0; i < jobs; ++i) {
    auto got = co_await first.take();
    if (!left) {
      left = got.job.id;
      continue;
    }
    co_await queue_suite::settle(first.queue(), std::move(got), Done{});
  }
  co_await first.end();
  EXPECT_GT(world.uncommitted(), 50) << "the test wants much that is finished beyond the position";
  auto& second = stage.worker();
  const auto got = co_await second.take();
  EXPECT_EQ(got.job.id, *left);
  co_await queue_suite::settle(second.queue(), got, Done{});
  const auto more = co_await second.take_within(500ms);
  EXPECT_FALSE(more);
  co_await second.end();
  EXPECT_EQ(world.uncommitted(), 0);
}

Task<> commits_without_being_asked(QueueStage& stage, KafkaWorld& world) {
  auto& worker = stage.worker();
  co_await queue_suite::put_all(worker.queue(), stage.clock, stage.jobs(10));
  for (int i = 0; i < 10; ++i) {
    auto got = co_await worker.take();
    co_await queue_suite::settle(worker.queue(), std::move(got), Done{});
  }
  const Instant patience_ends = stage.clock.now() + 10s;
  while (world.uncommitted() > 0 && stage.clock.now() < patience_ends)
    co_await stage.clock.sleep_for(100ms);
  EXPECT_EQ(world.uncommitted(), 0);
}

Task<> idle_is_no_reason(QueueStage& stage, KafkaWorld& world) {
  world.properties = {{"session.timeout.ms", "6000"}, {"max.poll.interval.ms", "6000"}};
  auto& worker = stage.worker();
  co_await queue_suite::put(worker.queue(), stage.job());
  const auto held = co_await worker.take();  // and a job that runs for longer than the interval
  co_await stage.clock.sleep_for(8s);
  const Job job = stage.job();
  const Instant put_at = stage.clock.now();
  co_await queue_suite::put(worker.queue(), job);
  const auto got = co_await worker.take();
  EXPECT_EQ(got.job.id, job.id) << "it left the group, and was given the first job again";
  EXPECT_LT(stage.clock.now() - put_at, 1s) << "it had to join the group again";
  co_await queue_suite::settle(worker.queue(), got, Done{});
  co_await queue_suite::settle(worker.queue(), held, Done{});
  co_await worker.end();
  EXPECT_EQ(world.uncommitted(), 0);
}

Task<> result_is_there(QueueStage& stage, KafkaWorld& world) {
  auto& worker = stage.worker();
  const Job job = stage.job();
  co_await queue_suite::put(worker.queue(), job);
  const auto got = co_await worker.take();
  const auto settled = co_await worker.queue().settle(got, Done{}, R"({"state":"succeeded"})");
  EXPECT_TRUE(settled);
  const auto results = co_await records(world, stage.clock, topics::results, 1);
  EXPECT_EQ(results.size(), 1u);
  if (results.empty()) co_return;
  EXPECT_EQ(results[0].key, job.id.str());
  EXPECT_EQ(results[0].value, R"({"state":"succeeded"})");
  co_await worker.end();
  EXPECT_EQ(world.uncommitted(), 0);
}

RawRecord retry_copy(KafkaWorld& world, Clock& clock, const Job& job, Duration after) {
  const auto due = clock.wall() + std::chrono::duration_cast<std::chrono::milliseconds>(after);
  return {job.key(),
          job.envelope,
          {{topics::attempt_header, "2"},
           {topics::due_header, std::to_string(due.time_since_epoch().count())},
           {topics::origin_header, world.topic("jobs.chat")}}};
}

Task<> late_holds_back_none(QueueStage& stage, KafkaWorld& world) {
  const Job late = stage.job();
  Job early = stage.job();
  const Instant due = stage.clock.now() + 2s;
  auto behind_it = retry_copy(world, stage.clock, early, 2s);
  behind_it.key = late.key();  // the same partition
  world.produce_raw("retry.2m", retry_copy(world, stage.clock, late, 60s));
  world.produce_raw("retry.2m", behind_it);
  auto& worker = stage.worker();
  const auto got = co_await worker.take();
  EXPECT_EQ(got.job.id, early.id);
  EXPECT_GE(stage.clock.now(), due - 10ms);  // two clocks
  EXPECT_LT(stage.clock.now(), due + 6s);
  co_await queue_suite::settle(worker.queue(), got, Done{});
}

/// Two hundred copies of 5 KB where there is room for about twenty.
Task<> copies_are_bounded(QueueStage& stage, KafkaWorld& world) {
  constexpr std::size_t copies = 200;
  auto options = world.options();
  options.waiting_copies_bytes_max = 100'000;
  const Instant due = stage.clock.now() + 8s;
  for (std::size_t i = 0; i < copies; ++i) {
    const Job job = stage.job("", std::string(5000, 'x'));
    world.produce_raw("retry.30s",
                      retry_copy(world, stage.clock, job, due - stage.clock.now() + 2ms));
  }
  KafkaQueue queue(std::move(options));
  const auto port = queue.port(stage.clock);
  std::int64_t most = 0;
  while (stage.clock.now() < due - 1s) {
    most = std::max<std::int64_t>(most, queue.counts().held_bytes);
    co_await stage.clock.sleep_for(10ms);
  }
  EXPECT_GT(most, 50'000) << "none was fetched before its time, so the test shows nothing";
  EXPECT_LT(most, 150'000);
  std::set<JobId> came;
  while (came.size() < copies) {
    const auto got = co_await port->next();
    came.insert(got->job.id);
    co_await queue_suite::settle(*port, *got, Done{});
  }
}

/// Longer than its tier's delay: it goes to the end of the tier in between.
Task<> waits_again(QueueStage& stage, KafkaWorld& world) {
  auto& worker = stage.worker();
  const Job job = stage.job();
  const Instant due = stage.clock.now() + 33s;
  world.produce_raw("retry.30s", retry_copy(world, stage.clock, job, 33s));
  const auto waiting = co_await worker.take_within(40s);
  EXPECT_TRUE(waiting);
  if (!waiting) co_return;
  EXPECT_GE(stage.clock.now(), due - 2ms);
  EXPECT_EQ(waiting->attempt, 2u);
  co_await queue_suite::settle(worker.queue(), *waiting, Done{});
  EXPECT_EQ(world.read_all("retry.30s").size(), 2u);
  co_await worker.end();
  EXPECT_EQ(world.uncommitted(), 0);
}

/// One that gives up its partitions with a job in hand and three that wait behind its one slot.
Task<> gives_up_at_once(QueueStage& stage, KafkaWorld& world) {
  auto options = world.options();
  options.jobs_in_flight = 1;
  KafkaQueue leaving(std::move(options));
  const auto port = leaving.port(stage.clock);
  co_await queue_suite::put_all(*port, stage.clock, stage.jobs(4));
  const auto held = co_await port->next();
  EXPECT_TRUE(held);
  auto& heir = stage.worker();
  co_await stage.clock.sleep_for(1s);  // it joins, and may have a partition of the two by now
  leaving.stop_taking();
  const Instant gave_up = stage.clock.now();
  const auto nothing = co_await port->next();
  EXPECT_EQ(nothing.error(), Errc::closed);
  std::set<JobId> taken;
  while (taken.size() < 4) {
    const auto got = co_await heir.take();
    taken.insert(got.job.id);
    EXPECT_TRUE(got.redelivered || got.job.id != held->job.id);
    co_await queue_suite::settle(heir.queue(), got, Done{});
  }
  EXPECT_LT(stage.clock.now() - gave_up, 3s);
  co_await queue_suite::settle(*port, *held, Dead{"said while leaving"});
  const auto dead = co_await records(world, stage.clock, topics::dead, 1);
  EXPECT_EQ(dead.size(), 1u);
  co_await heir.end();
  EXPECT_EQ(world.uncommitted(), 0);
}

Task<> keyless_run_at_once(QueueStage& stage, KafkaWorld& world) {
  const Job one = stage.job();
  const Job two = stage.job();
  world.produce_raw("jobs.chat", {"", one.envelope, {}});
  world.produce_raw("jobs.chat", {"", two.envelope, {}});
  auto& worker = stage.worker();
  const auto first = co_await worker.take();
  const auto second = co_await worker.take_within(5s);
  EXPECT_TRUE(second) << "records without a key waited for each other";
  co_await queue_suite::settle(worker.queue(), first, Done{});
  if (second) co_await queue_suite::settle(worker.queue(), *second, Done{});
}

TEST_F(KafkaQueueTest, a_dead_letter_says_why_and_is_written_once) {
  play(dead_once);
}
TEST_F(KafkaQueueTest, a_jobs_trace_stands_in_the_headers_of_all_its_records) {
  play(trace_is_told);
}
TEST_F(KafkaQueueTest, what_nobody_can_read_is_a_dead_letter_and_stops_nothing) {
  play(malformed_is_dead);
}
TEST_F(KafkaQueueTest, an_envelope_of_a_newer_version_waits_an_hour) {
  play(newer_waits_an_hour);
}
TEST_F(KafkaQueueTest, an_envelope_still_unreadable_after_its_hour_is_a_dead_letter) {
  play(newer_is_dead_after_its_hour);
}
TEST_F(KafkaQueueTest, a_retry_copy_without_origin_is_a_dead_letter) {
  play(astray_is_dead);
}
TEST_F(KafkaQueueTest, a_long_retry_waits_in_its_tier) {
  world_.retry_in_memory_max = 0s;
  play(long_retry);
}
TEST_F(KafkaQueueTest, every_copy_of_a_tier_returns) {
  world_.retry_in_memory_max = 0s;
  play(many_long_retries);
}
TEST_F(KafkaQueueTest, copies_of_a_tier_that_changed_hands_return) {
  world_.retry_in_memory_max = 0s;
  play(tier_changes_hands);
}
TEST_F(KafkaQueueTest, a_late_copy_of_a_tier_holds_back_none_behind_it) {
  play(late_holds_back_none);
}
TEST_F(KafkaQueueTest, copies_that_wait_in_memory_are_counted_and_bounded) {
  play(copies_are_bounded);
}
/// Takes half a minute: ops/test --long.
using KafkaQueueAtLength = KafkaQueueTest;
TEST_F(KafkaQueueAtLength, a_copy_not_due_for_longer_than_its_tier_waits_again) {
  play(waits_again);
}
TEST_F(KafkaQueueTest, of_many_finished_behind_one_only_that_one_comes_again) {
  play(one_unfinished_costs_one);
}
TEST_F(KafkaQueueTest, what_is_finished_is_committed_within_seconds) {
  play(commits_without_being_asked);
}
TEST_F(KafkaQueueTest, neither_silence_nor_a_long_job_costs_the_membership) {
  play(idle_is_no_reason);
}
TEST_F(KafkaQueueTest, a_result_is_keyed_by_its_job) {
  play(result_is_there);
}
TEST_F(KafkaQueueTest, whoever_gives_up_its_partitions_holds_back_nothing_and_may_still_settle) {
  play(gives_up_at_once);
}
TEST_F(KafkaQueueTest, records_without_a_key_wait_for_nobody) {
  play(keyless_run_at_once);
}

INSTANTIATE_TEST_SUITE_P(Kafka, JobQueueSuite, testing::Values(make_kafka_world));

}  // namespace
}  // namespace millrace
