#pragma once
#include <map>

#include "producer/ingress/jobs_routes.h"
#include "producer/relay/relay_routes.h"
#include "shared/memory/event_log.h"
#include "shared/memory/job_queue.h"
#include "shared/memory/object_store.h"
#include "shared/memory/store.h"
#include "tests/seams/fake_sessions.h"
#include "tests/simulation/http.h"
#include "tests/simulation/planted.h"
#include "tests/simulation/servers.h"

namespace millrace::sim {

/// One edge process: the real routes, accept path and relay, on in-memory ports, behind exchanges
/// in the place of sockets.
class Edge {
 public:
  Edge(World& world, Process& process, Servers& servers, const Mistakes& mistakes);
  Edge(const Edge&) = delete;
  Edge& operator=(const Edge&) = delete;

  void start() { root_.start(live()); }
  /// From the outside: a request has arrived.
  void serve(std::shared_ptr<Exchange> exchange);
  /// kill -9.
  void kill();
  bool ended() const { return root_.size() == 0; }
  Process& process() { return process_; }

 private:
  Task<> live();
  Task<> answer(std::shared_ptr<Exchange> exchange);
  Wire& wire(Host& host);
  relay::FindJob find_job();
  void misplace(http::Request& request) const;

  World& world_;
  Process& process_;
  const Mistakes& mistakes_;
  MemoryJobQueue queue_;
  MemoryStore store_;
  MemoryEventLog log_;
  MemoryObjectStore objects_;
  std::map<JobId, StoredJob> cache_;  ///< planted: never made anew
  relay::RelayMetrics relay_metrics_;
  relay::Hub hub_;
  relay::SignedUrls urls_;
  relay::RelayRoutes relay_routes_;
  JobEnder ender_;
  JobLookup lookup_;
  Cancel cancel_;
  FakeSessions sessions_;
  Interrupt interrupt_;
  Submit submit_;
  JobsRoutes jobs_routes_;
  http::Router router_;
  std::map<std::uint64_t, std::shared_ptr<Exchange>> open_;  ///< in the order of their coming
  std::uint64_t served_ = 0;
  Nursery nursery_;
  Nursery root_;
};

}  // namespace millrace::sim
