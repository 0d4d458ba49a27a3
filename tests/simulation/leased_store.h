#pragma once
#include "shared/contract/keys.h"
#include "shared/store.h"
#include "tests/simulation/servers.h"

namespace millrace::sim {

/// The Store as one worker asks it. Breaks the run when the worker asks it to end a job whose
/// lease another worker holds: the Store would keep the truth one, but a worker that may not act
/// has acted.
class LeasedStore final : public Store {
 public:
  /// `watching` is false where leases may end before anybody can know.
  LeasedStore(World& world, Process& process, Servers& servers, Store& store, bool watching)
      : world_(world), process_(process), servers_(servers), store_(store), watching_(watching) {}

  Result<> note_accepted(const Job& job, std::string_view fingerprint) override {
    return store_.note_accepted(job, fingerprint);
  }
  Task<Result<BegunJob>> begin(const Job& job, std::uint32_t attempt) override {
    return store_.begin(job, attempt);
  }
  Task<Result<>> save_step(const JobId& id, const Step& step) override {
    return store_.save_step(id, step);
  }
  Task<Result<Finished>> finish(const Job& job, const Outcome& outcome, const Step* step) override {
    const std::string holder = servers_.log.held_by(job.id);
    const bool others = holder.starts_with(keys::worker_control("work")) &&
                        holder != keys::worker_control(process_.name);
    // To say once more what has no answer yet changes nothing.
    const auto* row = servers_.store.row(job.id);
    const bool first = !row || !row->outcome;
    if (watching_ && others && first && !process_.life->dead)
      world_.broken("P3", process_.name + " ends " + job.id.str().substr(30) +
                              " without the lease, which " + holder + " holds");
    return store_.finish(job, outcome, step);
  }
  Task<Result<StoredJob>> want_cancel(std::string_view tenant, const JobId& id) override {
    return store_.want_cancel(tenant, id);
  }
  Task<Result<StoredJob>> find(std::string_view tenant, const JobId& id) override {
    return store_.find(tenant, id);
  }
  Task<Result<StoredJob>> find_noted(std::string_view tenant, const JobId& id) override {
    return store_.find_noted(tenant, id);
  }
  Task<Result<std::vector<StoredJob>>> list(const JobFilter& filter) override {
    return store_.list(filter);
  }
  std::string id() const override { return store_.id(); }
  bool healthy() const override { return store_.healthy(); }

 private:
  World& world_;
  Process& process_;
  Servers& servers_;
  Store& store_;
  bool watching_;
};

}  // namespace millrace::sim
