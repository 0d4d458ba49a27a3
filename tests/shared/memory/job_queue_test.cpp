#include "shared/memory/job_queue.h"

#include "tests/seams/job_queue_suite.h"
#include "tests/shared/memory/direct_link.h"

namespace millrace {
namespace {

/// What one loop needs to reach the broker, for as long as the world stands.
struct Reach {
  Reach(Clock& its_clock, memory::Broker& broker, std::recursive_mutex& mutex,
        std::uint32_t jobs_in_flight, const memory::Bugs& bugs)
      : clock(its_clock),
        link(clock, mutex),
        queue(clock, broker, link, {.takes = true, .jobs_in_flight = jobs_in_flight}, bugs),
        tasks(clock) {
    tasks.start(queue.run());
  }
  ~Reach() {
    queue.stop();
    while (!queue.stopped() || tasks.size() > 0) {
      clock.loop().restart();
      clock.loop().run_one();
    }
  }
  Clock& clock;
  memory::DirectLink link;
  MemoryJobQueue queue;
  Nursery tasks;
};

class Port final : public JobQueue {
 public:
  explicit Port(JobQueue& queue) : queue_(queue) {}
  Task<Result<>> enqueue(const Job& job) override { return queue_.enqueue(job); }
  Task<Result<Delivery>> next() override { return queue_.next(); }
  Task<Result<>> settle(const Delivery& delivery, Verdict verdict, std::string result) override {
    return queue_.settle(delivery, std::move(verdict), std::move(result));
  }
  void release(const Delivery& delivery, Instant not_before) override {
    queue_.release(delivery, not_before);
  }
  std::optional<QueueLag> lag(const Job& job) override { return queue_.lag(job); }

 private:
  JobQueue& queue_;
};

class MemoryWorld final : public QueueWorld {
 public:
  std::unique_ptr<QueueProcess> process(std::uint32_t jobs_in_flight) override {
    return std::make_unique<Process>(*this, jobs_in_flight);
  }

 private:
  class Process final : public QueueProcess {
   public:
    Process(MemoryWorld& world, std::uint32_t jobs) : world_(world), jobs_(jobs) {}
    ~Process() override {
      if (reach_) reach_->tasks.start(reach_->queue.leave());
    }
    std::unique_ptr<JobQueue> port(Clock& clock) override {
      reach_ = world_.reaches_
                   .emplace_back(std::make_unique<Reach>(clock, *world_.broker(clock),
                                                         world_.mutex_, jobs_, world_.none_))
                   .get();
      return std::make_unique<Port>(reach_->queue);
    }

   private:
    MemoryWorld& world_;
    std::uint32_t jobs_;
    Reach* reach_ = nullptr;
  };

  memory::Broker* broker(Clock& clock) {
    if (!broker_)
      broker_ = std::make_unique<memory::Broker>([&clock] { return clock.now(); },
                                                 memory::Broker::Options{});
    return broker_.get();
  }

  const memory::Bugs none_;
  std::recursive_mutex mutex_;
  std::unique_ptr<memory::Broker> broker_;
  std::vector<std::unique_ptr<Reach>> reaches_;
};

std::unique_ptr<QueueWorld> make_memory_world() {
  return std::make_unique<MemoryWorld>();
}

INSTANTIATE_TEST_SUITE_P(Memory, JobQueueSuite, testing::Values(make_memory_world));

}  // namespace
}  // namespace millrace
