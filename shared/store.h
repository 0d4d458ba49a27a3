#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/contract/job.h"
#include "shared/contract/outcome.h"
#include "shared/contract/state.h"
#include "shared/runtime/error.h"
#include "shared/runtime/task.h"

namespace millrace {

/// One finished step of a job: what must never be run or paid again.
struct Step {
  std::uint32_t index = 0;
  std::string kind;        ///< `llm_turn`
  std::string input_hash;  ///< SHA-256 of what went in; another input is another step
  std::string output;      ///< JSON, by kind
};

/// A job as the Store knows it: the truth about everything that has ended.
struct StoredJob {
  JobId id;
  std::string tenant;
  std::string kind;
  std::string session;
  std::string model;
  std::string envelope;
  std::string fingerprint;
  JobState state = JobState::queued;  ///< `queued` and `running` may lag; terminal never lies
  bool cancel_wanted = false;
  std::uint32_t attempts = 0;
  WallTime created_at{};
  std::optional<WallTime> started_at;
  std::optional<WallTime> ended_at;
  WallTime deadline{};
  std::optional<Outcome> outcome;  ///< set when terminal
};

/// A job as it was accepted, nothing else being known of it.
inline StoredJob as_accepted(const Job& job) {
  StoredJob stored;
  stored.id = job.id;
  stored.tenant = job.tenant;
  stored.kind = job.kind;
  stored.session = job.session;
  stored.model = job.model;
  stored.envelope = job.envelope;
  stored.created_at = job.created_at;
  stored.deadline = job.deadline;
  return stored;
}

struct JobFilter {
  std::string tenant = "default";
  std::optional<JobState> state;
  std::string kind;     ///< empty: any
  std::string session;  ///< empty: any
  std::uint32_t limit = 20;
  /// Only jobs older than this one, in (created_at, id) order.
  std::optional<JobId> after;
};

struct BegunJob {
  StoredJob job;
  std::vector<Step> steps;
  bool begun_before = false;  ///< by an earlier call: readers may have seen what that run said
};

/// Who ended as what: the standing outcome, and whether this call is the one that set it.
struct Finished {
  bool first = false;
  Outcome outcome;
};

/// What must survive everything: jobs, their finished steps, and how each ended. One object a
/// loop; writes of all loops are committed together, in the order they came, by one thread.
/// `unavailable` and `timed_out`: the store is away; `full`: its disk is.
class Store {
 public:
  virtual ~Store() = default;

  /// Notes an accepted job, later, with others: a 202 does not wait for it. `overloaded` when
  /// `limits::store_queue_rows_max` wait already; `begin` makes up for a note that was lost.
  virtual Result<> note_accepted(const Job& job, std::string_view fingerprint) = 0;

  /// Upserts the job as running unless it has ended, and says what is known of it. Answers from
  /// the state before the commit of this batch: no fsync is waited for.
  virtual Task<Result<BegunJob>> begin(const Job& job, std::uint32_t attempt) = 0;

  /// Durable on return.
  virtual Task<Result<>> save_step(const JobId& id, const Step& step) = 0;

  /// Ends the job unless it has ended; durable on return. The job need not have been noted.
  /// `step`, if any, is saved in the same transaction when this call is the first.
  virtual Task<Result<Finished>> finish(const Job& job, const Outcome& outcome,
                                        const Step* step) = 0;

  /// Notes the wish to cancel, durably; says how the job stood. `not_found`: no such row.
  virtual Task<Result<StoredJob>> want_cancel(std::string_view tenant, const JobId& id) = 0;

  /// Takes out of an ended job what it was asked and what it answered: its envelope becomes this
  /// job's, its answer, tool calls and steps go. Durable on return; a job that has not ended, or of
  /// another tenant, stays as it is.
  virtual Task<Result<>> redact(const Job& job) = 0;
  /// Of any tenant, at most `limit` that ended before that time, oldest end first: jobs that are
  /// not to be kept (Job::kept), and turns whose question had left its session when they ended.
  /// One that was redacted is none of them any more.
  virtual Task<Result<std::vector<StoredJob>>> unkept(WallTime ended_before,
                                                      std::uint32_t limit) = 0;

  virtual Task<Result<StoredJob>> find(std::string_view tenant, const JobId& id) = 0;
  /// A job of whichever tenant: who asks looks at whose it is. Before it answers `not_found` it
  /// waits for what this process noted before: for a job that nothing but its note can know of.
  virtual Task<Result<StoredJob>> find_noted(const JobId& id) = 0;
  /// Newest first by (created_at, id). `not_found`: `after` is no job of this tenant.
  virtual Task<Result<std::vector<StoredJob>>> list(const JobFilter& filter) = 0;

  /// How many jobs of the tenant have not ended, at most `most`, those among them that this process
  /// noted before.
  virtual Task<Result<std::uint64_t>> live_jobs(std::string_view tenant, std::uint64_t most) = 0;

  /// A random id made with the store; it names the truth that Redis and Kafka belong to.
  virtual std::string id() const = 0;
  virtual bool healthy() const = 0;
};

}  // namespace millrace
