#include "tests/simulation/worker.h"

#include <boost/asio/post.hpp>

namespace millrace::sim {

Wire& WorkerHost::wire(Host& host) {
  process_.wires.push_back(std::make_shared<Wire>(world_, process_, host));
  return *process_.wires.back();
}

WorkerHost::WorkerHost(World& world, Process& process, Servers& servers, Options options)
    : world_(world),
      process_(process),
      queue_(process.clock, servers.broker, wire(servers.broker_host),
             {.takes = true, .jobs_in_flight = options.jobs_in_flight}, servers.bugs),
      store_(process.clock, servers.store, wire(servers.store_host), servers.bugs),
      leased_store_(world, process, servers, store_, options.leases_are_known),
      sessions_(process.clock),
      log_(process.clock, servers.log, wire(servers.log_host), wire(servers.log_host)),
      model_(world, process, servers),
      objects_(process.clock, servers.objects, wire(servers.objects_host), servers.link_signer),
      inputs_(objects_, process.clock),
      worker_({queue_, log_, leased_store_, sessions_, model_, inputs_, process.clock,
               process.random, room_, counts_,
               WorkerSettings{.name = process.name,
                              .jobs_in_flight = options.jobs_in_flight,
                              .llm_continue = options.llm_continue}}),
      nursery_(process.clock),
      root_(process.clock) {}

Task<> WorkerHost::live() {
  nursery_.start(queue_.run());
  nursery_.start(work());
  co_await nursery_.join();
}

Task<> WorkerHost::work() {
  co_await worker_.run();
  co_await queue_.leave();
}

void WorkerHost::drain() {
  world_.note(process_.name, "SIGTERM");
  asio::post(process_.loop, [this] { worker_.drain(); });
}

void WorkerHost::kill() {
  world_.note(process_.name, "killed");
  process_.life->dead = true;
  process_.life->died_at = world_.now();
  for (const auto& wire : process_.wires) wire->cut();
  // On its own loop: from outside, a task could end before its cancellation arrives.
  asio::post(process_.loop, [this] { nursery_.stop(); });
}

}  // namespace millrace::sim
