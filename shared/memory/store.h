#pragma once
#include "shared/memory/link.h"
#include "shared/memory/tables.h"
#include "shared/runtime/clock.h"
#include "shared/runtime/limits.h"

namespace millrace {

/// The Store of one loop on `memory::Tables`. Tables and link outlive it. A call copies what it is
/// given before it returns its task.
class MemoryStore final : public Store {
 public:
  MemoryStore(Clock& clock, memory::Tables& tables, memory::Link& link, const memory::Bugs& bugs)
      : clock_(clock), tables_(tables), link_(link), bugs_(bugs) {}

  Result<> note_accepted(const Job& job, std::string_view fingerprint) override;
  Task<Result<BegunJob>> begin(const Job& job, std::uint32_t attempt) override;
  Task<Result<>> save_step(const JobId& id, const Step& step) override;
  Task<Result<Finished>> finish(const Job& job, const Outcome& outcome, const Step* step) override;
  Task<Result<StoredJob>> want_cancel(std::string_view tenant, const JobId& id) override;
  Task<Result<>> redact(const Job& job) override;
  Task<Result<std::vector<StoredJob>>> unkept(WallTime ended_before, std::uint32_t limit) override;
  Task<Result<StoredJob>> find(std::string_view tenant, const JobId& id) override;
  Task<Result<StoredJob>> find_noted(const JobId& id) override;
  Task<Result<std::vector<StoredJob>>> list(const JobFilter& filter) override;
  Task<Result<std::uint64_t>> live_jobs(std::string_view tenant, std::uint64_t most) override;
  std::string id() const override { return tables_.id(); }
  bool healthy() const override { return link_.up(); }

 private:
  Task<Result<>> forget(Job job);
  Task<Result<>> save(JobId id, Step step);
  Task<Result<Finished>> finish_later(memory::Link::Work there, Outcome outcome);
  template <class T, class There>
  Task<Result<T>> ask(There there) {
    return memory::ask<T>(link_, std::move(there), clock_.now() + limits::store_timeout);
  }

  Clock& clock_;
  memory::Tables& tables_;
  memory::Link& link_;
  const memory::Bugs& bugs_;
};

}  // namespace millrace
