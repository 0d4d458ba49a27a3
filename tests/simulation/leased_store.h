#pragma once
#include "shared/contract/keys.h"
#include "tests/seams/forwarding_store.h"
#include "tests/simulation/servers.h"

namespace millrace::sim {

/// The Store as one worker asks it. Breaks the run when the worker asks it to end a job whose
/// lease another worker holds: the Store would keep the truth one, but a worker that may not act
/// has acted.
class LeasedStore final : public ForwardingStore {
 public:
  /// `watching` is false where leases may end before anybody can know.
  LeasedStore(World& world, Process& process, Servers& servers, Store& store, bool watching)
      : ForwardingStore(store),
        world_(world),
        process_(process),
        servers_(servers),
        watching_(watching) {}

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
    return ForwardingStore::finish(job, outcome, step);
  }

 private:
  World& world_;
  Process& process_;
  Servers& servers_;
  bool watching_;
};

}  // namespace millrace::sim
