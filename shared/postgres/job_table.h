#pragma once
#include <string_view>
#include <vector>

#include "shared/contract/answer_note.h"
#include "shared/contract/job_row.h"
#include "shared/postgres/connection.h"
#include "shared/store.h"

namespace millrace::postgres {

/// The statements of the Store over one connection. Writes run inside a transaction that the
/// caller opens and commits, beside others. What a call is given by reference lives until its task
/// has ended.
class JobTable {
 public:
  explicit JobTable(Connection& connection) : connection_(connection) {}

  /// Inserts the job as queued; a job that is there only gets the fingerprint it lacks.
  Task<Result<>> note(const JobRow& row, WallTime now);
  /// Inserts or sets the job as running, unless it has ended.
  Task<Result<>> begin(const JobRow& row, std::uint32_t attempt, WallTime now);
  /// The first step under a key stands. `fenced`: the job has ended.
  Task<Result<>> save_step(const JobId& id, const Step& step);
  /// `said`: of the answer in a conversation.
  Task<Result<Finished>> finish(const JobRow& row, const Outcome& outcome, const AnswerNote& said,
                                const Step* step, WallTime now);
  Task<Result<StoredJob>> want_cancel(const std::string& tenant, const JobId& id);
  Task<Result<>> redact(const JobRow& row);
  Task<Result<std::vector<StoredJob>>> unkept(WallTime ended_before, std::uint32_t limit);

  /// A write that changes nothing anybody reads: shows whether writing works.
  Task<Result<>> probe();

  /// As it stands, with its steps; a job without a row is news, not an error: its tenant is empty.
  Task<Result<BegunJob>> read_begun(const JobId& id);
  /// Another tenant's job is `not_found`.
  Task<Result<StoredJob>> find(const JobId& id);
  Task<Result<std::uint64_t>> count_live(const std::string& tenant, std::uint64_t most);
  Task<Result<StoredJob>> find(const std::string& tenant, const JobId& id);
  Task<Result<std::vector<StoredJob>>> list(const JobFilter& filter);

 private:
  /// Makes the delivery of the job's webhook, unless it is there. Each write of a job does, for a
  /// job may have been ended by somebody who did not know its envelope.
  Task<Result<>> queue_webhook(const JobRow& row, WallTime now);

  /// Marks an ended job whose words nobody is to have.
  Task<Result<>> mark_unkept(const JobRow& row);

  Connection& connection_;
};

}  // namespace millrace::postgres
