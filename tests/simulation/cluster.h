#pragma once
#include <memory>
#include <vector>

#include "tests/simulation/edge.h"
#include "tests/simulation/plan.h"
#include "tests/simulation/worker.h"

namespace millrace::sim {

/// The processes of one installation, kept up by somebody who starts again what has died.
class Cluster {
 public:
  Cluster(World& world, Servers& servers, const Plan& plan, const Mistakes& mistakes);
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  std::size_t edges() const { return edges_.size(); }
  std::size_t workers() const { return workers_.size(); }
  /// Null while none runs in that place.
  Edge* edge(std::size_t place) { return edges_[place].role.get(); }
  WorkerHost* worker(std::size_t place) { return workers_[place].role.get(); }

  void kill_edge(std::size_t place, Duration down_for);
  void kill_worker(std::size_t place, Duration down_for);
  void drain_worker(std::size_t place);
  /// Every process runs and none is stopped.
  void mend();
  /// Ends everything for good.
  void end();
  bool ended() const;

 private:
  template <class Role>
  struct Place {
    std::unique_ptr<Role> role;  ///< null: down
    std::uint32_t starts = 0;
    Instant up_at{};
  };

  void start_edge(std::size_t place);
  void start_worker(std::size_t place);
  /// Destroys what has ended, starts what is due.
  void tend();
  template <class Role>
  void bury(std::unique_ptr<Role>& role);

  World& world_;
  Servers& servers_;
  const Plan& plan_;
  const Mistakes& mistakes_;
  bool ending_ = false;
  std::vector<Place<Edge>> edges_;
  std::vector<Place<WorkerHost>> workers_;
  std::vector<std::unique_ptr<Edge>> dying_edges_;
  std::vector<std::unique_ptr<WorkerHost>> dying_workers_;
};

}  // namespace millrace::sim
