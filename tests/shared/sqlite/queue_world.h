#pragma once
#include "shared/sqlite/sqlite_job_queue.h"
#include "tests/seams/job_queue_world.h"
#include "tests/shared/sqlite/temporary_folder.h"

namespace millrace {

/// The store and the queue of one process, as `serve` has them.
class SqliteQueueProcess final : public QueueProcess {
 public:
  explicit SqliteQueueProcess(const std::string& path, SqliteJobQueueOptions options = {})
      : store_(path, random_), queue_(store_, options) {}

  std::unique_ptr<JobQueue> port(Clock& clock) override { return queue_.taking_port(clock); }
  SqliteJobQueue& queue() { return queue_; }
  SqliteStore& store() { return store_; }

 private:
  SystemRandom random_;
  SqliteStore store_;
  SqliteJobQueue queue_;
};

/// One file that outlives its processes, which come one after the other.
class SqliteQueueWorld final : public QueueWorld {
 public:
  std::unique_ptr<QueueProcess> process(std::uint32_t jobs_in_flight) override {
    return std::make_unique<SqliteQueueProcess>(
        path(), SqliteJobQueueOptions{.jobs_in_flight = jobs_in_flight});
  }
  bool shared() const override { return false; }
  std::string path() const { return folder_.path("store.db"); }

 private:
  TemporaryFolder folder_;
};

}  // namespace millrace
