#pragma once
#include <map>
#include <set>

#include "tests/seams/job_queue_world.h"

/// What every JobQueue promises, whatever keeps it. An adapter's test program includes this file
/// once and adds `INSTANTIATE_TEST_SUITE_P(Name, JobQueueSuite, testing::Values(make_world))`.
namespace millrace {

class JobQueueSuite : public testing::TestWithParam<MakeQueueWorld> {
 protected:
  void SetUp() override {
    world_ = GetParam()();
    if (const auto missing = world_->missing(); !missing.empty()) GTEST_SKIP() << missing;
  }
  void play(Task<> (*body)(QueueStage&)) {
    QueueStage stage(*world_, loop_.clock());
    loop_.run_one(stage.play(body(stage)));
  }

 private:
  TestLoop loop_;
  std::unique_ptr<QueueWorld> world_;
};

namespace queue_suite {

inline Task<> put(JobQueue& queue, Job job) {
  const auto queued = co_await queue.enqueue(job);
  if (!queued) throw std::runtime_error("enqueue: " + std::string(to_string(queued.error())));
}
/// All at once, in this order.
inline Task<> put_all(JobQueue& queue, Clock& clock, std::vector<Job> jobs) {
  Nursery together(clock);
  for (auto& job : jobs) together.start(put(queue, std::move(job)));
  co_await together.join();
}
inline Task<> settle(JobQueue& queue, Delivery delivery, Verdict verdict) {
  const auto settled = co_await queue.settle(delivery, std::move(verdict));
  if (!settled) throw std::runtime_error("settle: " + std::string(to_string(settled.error())));
}

inline Task<> comes_whole(QueueStage& stage) {
  auto& worker = stage.worker();
  Job job = stage.job("s-1", "질문 \\\"quoted\\\"");
  job.metadata = R"({"a":[1,2,{"b":null}]})";
  job.max_tokens = 77;
  job.priority = Priority::bulk;
  job.not_before = job.created_at + 1s;
  job.envelope = encode_envelope(job);
  co_await put(worker.queue(), job);
  const auto got = co_await worker.take();
  EXPECT_EQ(got.job.envelope, job.envelope);
  EXPECT_EQ(got.job.id, job.id);
  EXPECT_EQ(got.job.key(), job.key());
  EXPECT_EQ(got.job.not_before, job.not_before);
  EXPECT_EQ(got.job.max_tokens, 77u);
  EXPECT_EQ(got.attempt, 1u);
  EXPECT_FALSE(got.redelivered);
  co_await settle(worker.queue(), got, Done{});
}

inline Task<> key_in_order(QueueStage& stage) {
  auto& worker = stage.worker();
  std::vector<Job> jobs;
  for (int i = 0; i < 4; ++i) jobs.push_back(stage.job("one-session"));
  co_await put_all(worker.queue(), stage.clock, jobs);
  for (const auto& job : jobs) {
    const auto got = co_await worker.take();
    EXPECT_EQ(got.job.id, job.id);
    const auto early = co_await worker.take_within(150ms);
    EXPECT_FALSE(early) << "the next of a key came before the one before was settled";
    co_await settle(worker.queue(), got, Done{});
  }
}

inline Task<> others_do_not_wait(QueueStage& stage) {
  auto& worker = stage.worker();
  constexpr int others = 40;
  co_await put(worker.queue(), stage.job("slow"));
  const auto slow = co_await worker.take();
  const Job behind = stage.job("slow");
  co_await put(worker.queue(), behind);
  co_await put_all(worker.queue(), stage.clock, stage.jobs(others));
  for (int i = 0; i < others; ++i) {
    const auto got = co_await worker.take();
    EXPECT_NE(got.job.id, behind.id);
    co_await settle(worker.queue(), got, Done{});
  }
  co_await settle(worker.queue(), slow, Done{});
  const auto got = co_await worker.take();
  EXPECT_EQ(got.job.id, behind.id);
  co_await settle(worker.queue(), got, Done{});
}

inline Task<> settled_twice(QueueStage& stage) {
  auto& worker = stage.worker();
  co_await put(worker.queue(), stage.job("s"));
  const Job second = stage.job("s");
  co_await put(worker.queue(), second);
  const auto first = co_await worker.take();
  co_await settle(worker.queue(), first, Done{});
  co_await settle(worker.queue(), first, Done{});
  co_await settle(worker.queue(), first, Retry{stage.clock.now()});
  worker.queue().release(first, stage.clock.now());
  const auto got = co_await worker.take();
  EXPECT_EQ(got.job.id, second.id);
  const auto more = co_await worker.take_within(300ms);
  EXPECT_FALSE(more);
  co_await settle(worker.queue(), got, Done{});
}

inline Task<> retry_with_session(QueueStage& stage) {
  auto& worker = stage.worker();
  const Job job = stage.job("s");
  const Job behind = stage.job("s");
  co_await put(worker.queue(), job);
  co_await put(worker.queue(), behind);
  const auto first = co_await worker.take();
  const Instant due = stage.clock.now() + 2s;
  co_await settle(worker.queue(), first, Retry{due});
  co_await put(worker.queue(), stage.job("another"));
  const auto other = co_await worker.take();
  EXPECT_EQ(other.job.session, "another");
  EXPECT_LT(stage.clock.now(), due) << "a waiting retry held back another key";
  co_await settle(worker.queue(), other, Done{});
  const auto again = co_await worker.take();
  EXPECT_EQ(again.job.id, job.id);
  EXPECT_GE(stage.clock.now(), due);
  EXPECT_LT(stage.clock.now(), due + 250ms);
  EXPECT_EQ(again.attempt, 2u);
  EXPECT_TRUE(again.redelivered);
  co_await settle(worker.queue(), again, Done{});
  const auto last = co_await worker.take();
  EXPECT_EQ(last.job.id, behind.id);
  EXPECT_EQ(last.attempt, 1u);
  co_await settle(worker.queue(), last, Done{});
}

inline Task<> retry_without_session(QueueStage& stage) {
  auto& worker = stage.worker();
  const Job job = stage.job();
  co_await put(worker.queue(), job);
  std::uint32_t attempt = 1;
  Instant due = stage.clock.now();
  for (; attempt < 4; ++attempt) {
    const auto got = co_await worker.take();
    EXPECT_EQ(got.job.id, job.id);
    EXPECT_EQ(got.attempt, attempt);
    EXPECT_GE(stage.clock.now(), due) << "a retry came before its time";
    due = stage.clock.now() + 20ms;
    co_await settle(worker.queue(), got, Retry{due});
  }
  const auto got = co_await worker.take();
  EXPECT_EQ(got.attempt, attempt);
  EXPECT_GE(stage.clock.now(), due) << "a retry came before its time";
  co_await settle(worker.queue(), got, Cancelled{});
}

inline Task<> release_is_uncounted(QueueStage& stage) {
  auto& worker = stage.worker(1);  // one slot: a released job does not keep it
  const Job job = stage.job("s");
  const Job behind = stage.job("s");
  co_await put(worker.queue(), job);
  co_await put(worker.queue(), behind);
  const auto first = co_await worker.take();
  const Instant due = stage.clock.now() + 2s;
  Delivery begun = first;
  begun.redelivered = true;
  worker.queue().release(begun, due);
  co_await put(worker.queue(), stage.job());
  const auto other = co_await worker.take();
  EXPECT_TRUE(other.job.session.empty()) << "a released job kept its slot";
  co_await settle(worker.queue(), other, Done{});
  const auto again = co_await worker.take();
  EXPECT_EQ(again.job.id, job.id) << "the key of a released job did not wait";
  EXPECT_GE(stage.clock.now(), due);
  EXPECT_EQ(again.attempt, 1u);
  EXPECT_TRUE(again.redelivered);
  co_await settle(worker.queue(), again, Expired{});
  const auto last = co_await worker.take();
  EXPECT_EQ(last.job.id, behind.id);
  co_await settle(worker.queue(), last, Done{});
}

inline Task<> no_more_than_slots(QueueStage& stage) {
  auto& worker = stage.worker(3);
  co_await put_all(worker.queue(), stage.clock, stage.jobs(8));
  std::vector<Delivery> held;
  for (int i = 0; i < 3; ++i) held.push_back(co_await worker.take());
  const auto fourth = co_await worker.take_within(300ms);
  EXPECT_FALSE(fourth);
  for (int settled = 0; settled < 8; ++settled) {
    if (held.empty()) held.push_back(co_await worker.take());
    co_await settle(worker.queue(), held.back(), Done{});
    held.pop_back();
  }
  const auto ninth = co_await worker.take_within(100ms);
  EXPECT_FALSE(ninth);
}

inline Task<> unsettled_comes_to_another(QueueStage& stage) {
  auto& first = stage.worker();
  std::map<JobId, bool> settled;
  const auto jobs = stage.jobs(20);
  co_await put_all(first.queue(), stage.clock, jobs);
  for (const auto& job : jobs) settled[job.id] = false;
  for (int i = 0; i < 20; ++i) {
    const auto got = co_await first.take();
    if (i % 3 == 0) continue;
    settled[got.job.id] = true;
    co_await settle(first.queue(), got, Done{});
  }
  co_await first.end();
  auto& second = stage.worker();
  for (const auto& [id, done] : settled) {
    if (done) continue;
    const auto got = co_await second.take();
    EXPECT_FALSE(settled.at(got.job.id)) << "what was settled came again";
    EXPECT_TRUE(got.redelivered);
    co_await settle(second.queue(), got, Done{});
  }
  const auto more = co_await second.take_within(300ms);
  EXPECT_FALSE(more) << "what was settled came again";
}

inline Task<> order_outlives_a_process(QueueStage& stage) {
  auto& first = stage.worker();
  const auto jobs = stage.jobs(12, 2);
  co_await put_all(first.queue(), stage.clock, jobs);
  std::map<std::string, std::size_t> next{{jobs[0].session, 0}, {jobs[1].session, 1}};
  for (int settled = 0; settled < 5; ++settled) {
    auto got = co_await first.take();
    std::size_t& at = next.at(got.job.session);
    EXPECT_EQ(got.job.id, jobs[at].id);
    at += 2;
    co_await settle(first.queue(), std::move(got), Done{});
  }
  co_await first.end();
  auto& second = stage.worker();
  for (std::size_t left = jobs.size() - 5; left > 0; --left) {
    auto got = co_await second.take();
    std::size_t& at = next.at(got.job.session);
    EXPECT_EQ(got.job.id, jobs.at(at).id) << "out of order, or settled before";
    at += 2;
    co_await settle(second.queue(), std::move(got), Done{});
  }
}

/// Settles all it gets until the whole is done; counts who got what.
inline Task<> work_until(TestWorker& worker, Clock& clock, std::set<JobId>& done,
                         std::size_t wanted, Instant give_up) {
  while (done.size() < wanted && clock.now() < give_up) {
    auto got = co_await worker.take_within(50ms);
    if (!got) continue;
    const JobId id = got->job.id;
    co_await settle(worker.queue(), std::move(*got), Done{});
    done.insert(id);
  }
}

/// Two work at once, where the queue lets them; else the second after the first.
inline Task<> work_both_until(QueueStage& stage, TestWorker& first, TestWorker& second,
                              std::set<JobId>& done, std::size_t wanted, Instant give_up) {
  Nursery both(stage.clock);
  if (stage.world.shared()) both.start(work_until(first, stage.clock, done, wanted, give_up));
  both.start(work_until(second, stage.clock, done, wanted, give_up));
  co_await both.join();
  co_await first.end();
}

inline Task<> nothing_lost_among_changing_workers(QueueStage& stage) {
  constexpr std::size_t jobs = 240;
  auto& first = stage.worker(8);
  std::set<JobId> done;
  const Instant give_up = stage.clock.now() + 60s;
  co_await put_all(first.queue(), stage.clock, stage.jobs(jobs / 3, 7));
  co_await work_until(first, stage.clock, done, 10, give_up);
  if (!stage.world.shared()) co_await first.end();
  auto& second = stage.worker(8);
  co_await put_all(second.queue(), stage.clock, stage.jobs(jobs / 3));
  co_await work_both_until(stage, first, second, done, jobs / 2, give_up);
  co_await put_all(second.queue(), stage.clock, stage.jobs(jobs / 3, 7));
  if (!stage.world.shared()) co_await second.end();
  auto& third = stage.worker(8);
  co_await work_both_until(stage, second, third, done, jobs, give_up);
  EXPECT_EQ(done.size(), jobs);
}

inline Task<> a_crowd_keeps_each_keys_order(QueueStage& stage) {
  auto& worker = stage.worker(50);
  constexpr int keys = 9;
  constexpr int each = 30;
  std::map<std::string, std::vector<JobId>> sent;
  const auto jobs = stage.jobs(keys * each, keys);
  for (const auto& job : jobs) sent[job.session].push_back(job.id);
  co_await put_all(worker.queue(), stage.clock, jobs);
  std::map<std::string, std::vector<JobId>> got;
  std::vector<Delivery> held;
  for (int i = 0; i < keys * each; ++i) {
    auto delivery = co_await worker.take();
    got[delivery.job.session].push_back(delivery.job.id);
    held.push_back(std::move(delivery));
    if (held.size() < keys && i % 4 != 0 && !worker.idle()) continue;
    std::swap(held.front(), held.back());  // not in the order of their coming
    while (!held.empty()) {
      Delivery last = std::move(held.back());
      held.pop_back();
      co_await settle(worker.queue(), std::move(last), Done{});
    }
  }
  EXPECT_EQ(got, sent);
}

}  // namespace queue_suite

TEST_P(JobQueueSuite, a_job_comes_as_it_was_put) {
  play(queue_suite::comes_whole);
}
TEST_P(JobQueueSuite, jobs_of_a_key_come_in_order_one_at_a_time) {
  play(queue_suite::key_in_order);
}
TEST_P(JobQueueSuite, a_slow_job_holds_back_its_key_alone) {
  play(queue_suite::others_do_not_wait);
}
TEST_P(JobQueueSuite, settling_twice_is_settling_once) {
  play(queue_suite::settled_twice);
}
TEST_P(JobQueueSuite, a_retry_with_a_session_waits_in_place) {
  play(queue_suite::retry_with_session);
}
TEST_P(JobQueueSuite, each_retry_raises_the_attempt) {
  play(queue_suite::retry_without_session);
}
TEST_P(JobQueueSuite, a_released_delivery_comes_again_uncounted) {
  play(queue_suite::release_is_uncounted);
}
TEST_P(JobQueueSuite, no_more_is_given_than_there_are_slots) {
  play(queue_suite::no_more_than_slots);
}
TEST_P(JobQueueSuite, what_a_process_leaves_unsettled_comes_to_the_next) {
  play(queue_suite::unsettled_comes_to_another);
}
TEST_P(JobQueueSuite, the_order_of_a_key_outlives_a_process) {
  play(queue_suite::order_outlives_a_process);
}
TEST_P(JobQueueSuite, nothing_is_lost_while_workers_come_and_go) {
  play(queue_suite::nothing_lost_among_changing_workers);
}
TEST_P(JobQueueSuite, a_crowd_of_jobs_keeps_the_order_of_each_key) {
  play(queue_suite::a_crowd_keeps_each_keys_order);
}

}  // namespace millrace
