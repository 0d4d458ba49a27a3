#include "shared/sqlite/sqlite_job_queue.h"

#include <stdexcept>

#include "shared/sqlite/job_taker.h"

namespace millrace {
namespace {

using sqlite::JobTaker;
using sqlite::QueueShares;
using sqlite::Tables;
using sqlite::WaitingJob;

/// One job on its way into the table and, once committed, to the loop that has its key.
class Enqueue {
 public:
  Enqueue(std::shared_ptr<QueueShares> shares, const Job& job, bool parked)
      : shares_(std::move(shares)), parked_(parked) {
    waiting_.job = job;
    waiting_.lane = sqlite::lane_of(job);
  }

  Result<> operator()(Tables& tables) {
    waiting_.seq = shares_->next_seq();
    const auto added = tables.queue.add(waiting_.job, waiting_.seq, waiting_.lane, parked_);
    if (!added) return Failure(added.error());
    fresh_ = *added;
    return {};
  }
  void committed() {
    if (!fresh_) return;
    const WallTime due = waiting_.job.not_before.value_or(WallTime{});
    shares_->queued({.job = std::move(waiting_), .due = due}, parked_);
  }

 private:
  std::shared_ptr<QueueShares> shares_;
  WaitingJob waiting_;
  bool parked_;
  bool fresh_ = false;
};

/// The queue as one loop sees it.
class Port final : public JobQueue {
 public:
  Port(Clock& clock, JobTaker::Parts parts, bool takes)
      : clock_(clock), parts_(std::move(parts)), caller_(clock, parts_.replies) {
    if (takes) taker_ = JobTaker::start(clock, parts_);
  }
  ~Port() override {
    if (taker_) taker_->stop();
  }

  Task<Result<>> enqueue(const Job& job) override {
    // A job that would wait for long does so in the table; a session's holds back its lane.
    const bool parked = job.session.empty() && job.not_before &&
                        *job.not_before - clock_.wall() > limits::retry_in_memory_max;
    // The job is copied for the loop that takes it, and held once more as text.
    const std::size_t bytes = 2 * job.envelope.size();
    return caller_.ask<void>(parts_.writes.queue(), bytes, Enqueue(parts_.shares, job, parked));
  }

  Task<Result<Delivery>> next() override {
    if (!taker_) co_return Failure(Errc::closed);
    co_return co_await taker_->next();
  }

  Task<Result<>> settle(const Delivery& delivery, Verdict verdict, std::string) override {
    if (!taker_) co_return Failure(Errc::closed);
    co_return taker_->settle(delivery, verdict);
  }

  void release(const Delivery& delivery, Instant not_before) override {
    if (taker_) taker_->release(delivery, not_before);
  }

  std::optional<QueueLag> lag(const Job&) override {
    return QueueLag{.waiting = parts_.shares->waiting(),
                    .finished_per_s = parts_.shares->finished_per_s(clock_.now())};
  }

 private:
  Clock& clock_;
  JobTaker::Parts parts_;
  sqlite::Caller caller_;
  std::shared_ptr<JobTaker> taker_;
};

std::shared_ptr<QueueShares> read_shares_of(const std::string& path, std::size_t count) {
  const auto refuse = [&](const std::string& words) {
    return std::runtime_error("the queue in " + path + " cannot be read: " + words);
  };
  auto database = sqlite::Database::open(path, sqlite::Database::Mode::read);
  if (!database) throw refuse(database.error().words);
  const auto extent = sqlite::QueueTable(*database).extent();
  if (!extent) throw refuse(database->last_failure());
  return std::make_shared<QueueShares>(count, extent->rows, extent->last);
}

}  // namespace

class SqliteJobQueue::State {
 public:
  State(SqliteStore::Shared store, const SqliteJobQueueOptions& options)
      : parts{.shares = read_shares_of(store.path, std::max(options.taking_ports, 1u)),
              .counts = std::make_shared<sqlite::QueueCounts>(),
              .writes = store.writes,
              .replies = store.replies,
              .jobs_in_flight = share(options)} {}

  const JobTaker::Parts parts;

 private:
  static std::uint32_t share(const SqliteJobQueueOptions& options) {
    const std::uint32_t ports = std::max(options.taking_ports, 1u);
    return std::max((options.jobs_in_flight + ports - 1) / ports, 1u);
  }
};

SqliteJobQueue::SqliteJobQueue(SqliteStore& store, SqliteJobQueueOptions options)
    : state_(std::make_unique<State>(store.share_with_queue(), options)) {}

SqliteJobQueue::~SqliteJobQueue() = default;

std::unique_ptr<JobQueue> SqliteJobQueue::port(Clock& clock) {
  return std::make_unique<Port>(clock, state_->parts, false);
}

std::unique_ptr<JobQueue> SqliteJobQueue::taking_port(Clock& clock) {
  return std::make_unique<Port>(clock, state_->parts, true);
}

const sqlite::QueueCounts& SqliteJobQueue::counts() const {
  return *state_->parts.counts;
}

std::int64_t SqliteJobQueue::waiting() const {
  return state_->parts.shares->waiting();
}

QueueLag SqliteJobQueue::lag(Instant now) const {
  return {.waiting = waiting(), .finished_per_s = state_->parts.shares->finished_per_s(now)};
}

}  // namespace millrace
