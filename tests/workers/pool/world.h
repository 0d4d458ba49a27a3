#pragma once
#include <gtest/gtest.h>

#include <memory>

#include "shared/runtime/nursery.h"
#include "tests/seams/fake_objects.h"
#include "tests/seams/fake_sessions.h"
#include "tests/workers/pool/fakes.h"
#include "workers/pool/worker.h"

namespace millrace {

/// One process of workers among fakes, on virtual time. Several share log, store and queue.
struct World {
  asio::io_context loop{1};
  VirtualClock clock{loop};
  SeededRandom random{7};
  fake::Log log{clock};
  fake::TheStore store{clock};
  FakeSessions sessions{clock};
  fake::Queue queue{clock};
  fake::Model model{clock};
  FakeObjects objects{clock};
  WorkerSettings settings{.name = "worker-a"};

  struct Process {
    QuietRoom room;
    WorkerCounts counts;
    int webhooks_due = 0;  ///< how often it was told
    std::unique_ptr<LargeInputs> inputs;
    std::unique_ptr<Worker> worker;
    std::unique_ptr<Nursery> tasks;
  };
  std::vector<std::unique_ptr<Process>> processes;

  ~World() {
    for (auto& process : processes) {
      if (process->worker) kill(*process);
    }
  }

  Process& start_worker() {
    Process& process = *processes.emplace_back(std::make_unique<Process>());
    process.inputs = std::make_unique<LargeInputs>(objects, clock);
    process.worker = std::make_unique<Worker>(WorkerParts{
        queue, log, store, sessions, model, *process.inputs, clock, random, process.room,
        process.counts, settings, [&process] { ++process.webhooks_due; }});
    process.tasks = std::make_unique<Nursery>(clock);
    process.tasks->start(process.worker->run());
    return process;
  }
  /// Stops every task where it stands; leases stay as they are.
  void kill(Process& process) {
    process.tasks->stop();
    clock.run_for(0s);
    process.worker.reset();
    process.tasks.reset();
  }

  Job make_job() {
    Job job;
    job.created_at = clock.wall();
    job.id = new_job_id(clock.wall(), random);
    job.input = R"("hello")";
    job.deadline = job.created_at + 24h;
    return job;
  }
  /// Accepted by an edge: in the log as `queued`, and in the queue.
  Job accept(Job job) {
    fake::Log::Record& record = log.records[job.id];
    EventWriter(job.id, job.created_at).queued(record.lines, {1, clock.wall()}, -1, -1);
    record.last = 1;
    Delivery delivery;
    delivery.job = job;
    queue.add(delivery);
    return job;
  }
  Job accept() { return accept(make_job()); }

  /// Brings a job's message once more, as the queue does when its worker died.
  void redeliver(const Job& job, Duration after = {}) {
    Delivery again;
    again.job = job;
    again.redelivered = true;
    queue.add(again, clock.now() + after);
  }

  /// The Store says that a job has ended, and nobody has told it yet.
  void end_elsewhere(const Job& job) {
    Outcome standing;
    standing.state = JobState::succeeded;
    standing.text = "from elsewhere";
    standing.finish_reason = "stop";
    StoredJob& row = store.jobs[job.id];
    row.state = standing.state;
    row.outcome = standing;
  }

  /// The types of a job's events, in order: `queued started delta done`.
  std::string told(const Job& job) {
    std::string types;
    for (const EventLine& event : events(job)) {
      if (!types.empty()) types += ' ';
      types += event.type;
    }
    return types;
  }
  std::vector<EventLine> events(const Job& job) {
    std::vector<EventLine> all;
    std::string_view lines = log.records[job.id].lines;
    EventLine event;
    while (next_event(lines, event)) all.push_back(event);
    return all;
  }
  std::string readers_hold(const Job& job) {
    TextFold fold;
    for (const EventLine& event : events(job)) fold.take(event);
    return fold.text();
  }
  /// Numbers rise by one, but for announced gaps; one terminal event, last.
  void expect_sound(const Job& job) {
    const auto all = events(job);
    Seq expected = all.empty() ? 1 : all.front().seq;
    int endings = 0;
    for (const EventLine& event : all) {
      if (event.type == "gap") expected = event.seq;
      EXPECT_EQ(event.seq, expected++) << event.whole;
      EXPECT_EQ(endings, 0) << "after the end: " << event.whole;
      if (terminal_event(event.type)) ++endings;
    }
    EXPECT_EQ(endings, 1);
    ASSERT_TRUE(store.jobs[job.id].outcome);
    EXPECT_EQ(readers_hold(job), store.jobs[job.id].outcome->text);
  }
  std::optional<Outcome> outcome(const Job& job) { return store.jobs[job.id].outcome; }
};

}  // namespace millrace
