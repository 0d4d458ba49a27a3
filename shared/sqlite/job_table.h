#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "shared/contract/answer_note.h"
#include "shared/contract/job_row.h"
#include "shared/sqlite/database.h"
#include "shared/store.h"

namespace millrace::sqlite {

/// The statements of the Store over one connection. Writes run inside a transaction that the
/// caller opens and commits; one thread at a time.
class JobTable {
 public:
  explicit JobTable(Database& database);

  /// Inserts the job as queued; a job that is there only gets the fingerprint it lacks.
  Result<> note(const JobRow& row, WallTime now);
  /// Inserts or sets the job as running, unless it has ended.
  Result<> begin(const JobRow& row, std::uint32_t attempt, WallTime now);
  /// The first step under a key stands. `fenced`: the job has ended.
  Result<> save_step(const JobId& id, const Step& step);
  /// `said`: of the answer in a conversation.
  Result<Finished> finish(const JobRow& row, const Outcome& outcome, const AnswerNote& said,
                          const Step* step, WallTime now);
  Result<StoredJob> want_cancel(std::string_view tenant, const JobId& id);
  Result<> redact(const JobRow& row);
  Result<std::vector<StoredJob>> unkept(WallTime ended_before, std::uint32_t limit);
  /// A write that changes nothing anybody reads: shows whether writing works.
  Result<> probe();

  Result<StoredJob> find(const JobId& id);
  Result<std::uint64_t> count_live(std::string_view tenant, std::uint64_t most);
  /// Another tenant's job is `not_found`.
  Result<StoredJob> find(std::string_view tenant, const JobId& id);
  Result<std::vector<StoredJob>> list(const JobFilter& filter);
  /// In the order of their index.
  Result<std::vector<Step>> steps(const JobId& id);
  /// The job and its steps. A job without a row is news, not an error: its tenant is then empty.
  Result<BegunJob> read_begun(const JobId& id);
  Result<std::string> store_id();
  /// `corrupt` when the file's pages do not hang together. Reads all of it.
  Result<> check();

 private:
  Result<bool> set_outcome(const JobId& id, const Outcome& outcome, WallTime now);
  Result<> insert_ended(const JobRow& row, const Outcome& outcome, WallTime now);
  Result<> insert_step(const JobId& id, const Step& step);
  /// Makes the delivery of the job's webhook, unless it is there. Each write of a job does, for a
  /// job may have been ended by somebody who did not know its envelope.
  Result<> queue_webhook(const JobRow& row, WallTime now);
  Result<> insert_answer(const JobId& id, const Outcome& outcome, const AnswerNote& said,
                         WallTime now);

  /// Marks an ended job whose words nobody is to have.
  Result<> mark_unkept(const JobRow& row);

  Database& database_;
  Statement note_;
  Statement begin_;
  Statement insert_begun_;
  Statement finish_;
  Statement insert_ended_;
  Statement insert_step_;
  Statement answer_;
  Statement unanswered_;
  Statement webhook_;
  Statement ended_;
  Statement want_cancel_;
  Statement redact_;
  Statement drop_steps_;
  Statement mark_unkept_;
  Statement unkept_;
  Statement find_;
  Statement count_live_;
  Statement steps_;
};

}  // namespace millrace::sqlite
