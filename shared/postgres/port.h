#pragma once
#include <string>

#include "shared/postgres/caller.h"
#include "shared/postgres/reader.h"
#include "shared/postgres/writer.h"
#include "shared/store.h"

namespace millrace::postgres {

/// One loop's Store: turns each verb into a call to the store's loop and waits for its reply, at
/// most `limits::store_timeout`.
class Port final : public Store {
 public:
  struct Desks {
    Writer& writer;
    Reader& reads;
    Reader& lists;
  };
  Port(Clock& clock, Desks desks, std::string id);

  Result<> note_accepted(const Job& job, std::string_view fingerprint) override;
  Task<Result<BegunJob>> begin(const Job& job, std::uint32_t attempt) override;
  Task<Result<>> save_step(const JobId& id, const Step& step) override;
  Task<Result<Finished>> finish(const Job& job, const Outcome& outcome, const Step* step) override;
  Task<Result<StoredJob>> want_cancel(std::string_view tenant, const JobId& id) override;
  Task<Result<StoredJob>> find(std::string_view tenant, const JobId& id) override;
  Task<Result<StoredJob>> find_noted(std::string_view tenant, const JobId& id) override;
  Task<Result<std::vector<StoredJob>>> list(const JobFilter& filter) override;
  std::string id() const override { return id_; }
  bool healthy() const override { return desks_.writer.healthy() && desks_.reads.healthy(); }

 private:
  Task<Result<StoredJob>> find_behind_notes(std::string tenant, JobId id);

  Clock& clock_;
  Desks desks_;
  std::string id_;
  Caller caller_;
};

}  // namespace millrace::postgres
