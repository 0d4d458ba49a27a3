#pragma once
#include <string>

#include "shared/sqlite/caller.h"
#include "shared/sqlite/threads.h"
#include "shared/store.h"

namespace millrace::sqlite {

/// One loop's Store: turns each verb into a call to the right thread and waits for its reply, at
/// most `limits::store_timeout`.
class Port final : public Store {
 public:
  struct Threads {
    ReplyRouter& replies;
    WriteThread& writes;
    CallQueue& reads;
    CallQueue& lists;
    const std::atomic<bool>& queue_notes;  ///< a job's row is made when it is queued
  };
  Port(Clock& clock, Threads threads, std::string id);

  Result<> note_accepted(const Job& job, std::string_view fingerprint) override;
  Task<Result<BegunJob>> begin(const Job& job, std::uint32_t attempt) override;
  Task<Result<>> save_step(const JobId& id, const Step& step) override;
  Task<Result<Finished>> finish(const Job& job, const Outcome& outcome, const Step* step) override;
  Task<Result<StoredJob>> want_cancel(std::string_view tenant, const JobId& id) override;
  Task<Result<StoredJob>> find(std::string_view tenant, const JobId& id) override;
  Task<Result<StoredJob>> find_noted(std::string_view tenant, const JobId& id) override;
  Task<Result<std::vector<StoredJob>>> list(const JobFilter& filter) override;
  std::string id() const override { return id_; }
  bool healthy() const override { return threads_.writes.healthy(); }

 private:
  Task<Result<StoredJob>> find_behind_notes(std::string tenant, JobId id);

  Clock& clock_;
  Threads threads_;
  std::string id_;
  Caller caller_;
};

}  // namespace millrace::sqlite
