#pragma once
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "shared/contract/envelope.h"
#include "shared/job_queue.h"
#include "shared/runtime/limits.h"
#include "shared/runtime/signal.h"
#include "tests/seams/test_loop.h"

namespace millrace {

/// A process that takes jobs, as the queue sees it. It ends when it is destroyed: what it settled
/// stays settled, what it had in hand is another's.
class QueueProcess {
 public:
  virtual ~QueueProcess() = default;
  virtual std::unique_ptr<JobQueue> port(Clock& clock) = 0;
};

/// One queue, empty at first, and the processes that work on it.
class QueueWorld {
 public:
  virtual ~QueueWorld() = default;
  /// Why it cannot be reached from here, and what to do about it; empty when it can.
  virtual std::string missing() const { return {}; }
  /// A process with one port that takes, and at most so many jobs in hand.
  virtual std::unique_ptr<QueueProcess> process(std::uint32_t jobs_in_flight) = 0;
  /// Whether a process may come while another is there.
  virtual bool shared() const { return true; }
};

using MakeQueueWorld = std::unique_ptr<QueueWorld> (*)();

/// A worker that takes whatever it is given and settles when the test says so.
class TestWorker {
 public:
  TestWorker(QueueWorld& world, Clock& clock, std::uint32_t jobs_in_flight)
      : clock_(clock),
        process_(world.process(jobs_in_flight)),
        queue_(process_->port(clock)),
        tasks_(clock),
        arrived_(clock) {
    tasks_.start(take_all());
  }

  JobQueue& queue() { return *queue_; }

  /// The next delivery, waited for as long as a group may take to settle down.
  Task<Delivery> take() {
    const Instant patience_ends = clock_.now() + 30s;
    while (in_hand_.empty()) {
      const bool heard = co_await arrived_.wait_until(patience_ends);
      if (!heard) throw std::runtime_error("waited 30 s for a delivery that did not come");
    }
    Delivery first = std::move(in_hand_.front());
    in_hand_.pop_front();
    co_return first;
  }
  /// The next delivery if one comes within that time.
  Task<std::optional<Delivery>> take_within(Duration time) {
    const Instant until = clock_.now() + time;
    while (in_hand_.empty() && clock_.now() < until) co_await arrived_.wait_until(until);
    if (in_hand_.empty()) co_return std::nullopt;
    Delivery first = std::move(in_hand_.front());
    in_hand_.pop_front();
    co_return first;
  }
  bool idle() const { return in_hand_.empty(); }

  /// The process ends. Twice is once.
  Task<> end() {
    tasks_.stop();
    co_await tasks_.join();
    queue_.reset();
    process_.reset();
  }

 private:
  Task<> take_all() {
    for (;;) {
      auto delivery = co_await queue_->next();
      if (!delivery) co_return;
      in_hand_.push_back(std::move(*delivery));
      arrived_.notify();
    }
  }

  Clock& clock_;
  std::unique_ptr<QueueProcess> process_;
  std::unique_ptr<JobQueue> queue_;
  Nursery tasks_;
  Signal arrived_;
  std::deque<Delivery> in_hand_;
};

/// What a test has: the world, the loop's clock, and workers that end with it however it ends.
class QueueStage {
 public:
  QueueStage(QueueWorld& its_world, Clock& its_clock) : world(its_world), clock(its_clock) {}

  TestWorker& worker(std::uint32_t jobs_in_flight = limits::jobs_in_flight_max) {
    workers_.push_back(std::make_unique<TestWorker>(world, clock, jobs_in_flight));
    return *workers_.back();
  }
  Task<> play(Task<> body) {
    std::exception_ptr failure;
    try {
      co_await std::move(body);
    } catch (...) {
      failure = std::current_exception();
    }
    for (auto& worker : workers_) co_await worker->end();
    if (failure) std::rethrow_exception(failure);
  }

  Job job(std::string session = "", std::string input = "hello") {
    Job made;
    made.created_at = clock.wall();
    made.id = new_job_id(made.created_at, random_);
    made.session = std::move(session);
    made.input = '"' + input + '"';
    made.model = "sim-1ms-1tok-1gap";
    made.deadline = made.created_at + std::chrono::hours(24);
    made.envelope = encode_envelope(made);
    return made;
  }

  /// So many, over so many sessions in turn; 0: without a session.
  std::vector<Job> jobs(std::size_t count, std::size_t sessions = 0) {
    std::vector<Job> made;
    for (std::size_t i = 0; i < count; ++i)
      made.push_back(job(sessions == 0 ? "" : "session-" + std::to_string(i % sessions)));
    return made;
  }

  QueueWorld& world;
  Clock& clock;

 private:
  SystemRandom random_;
  std::vector<std::unique_ptr<TestWorker>> workers_;
};

}  // namespace millrace
