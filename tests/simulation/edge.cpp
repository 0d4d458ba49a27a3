#include "tests/simulation/edge.h"

#include <boost/asio/post.hpp>

namespace millrace::sim {
namespace {

/// Counters change nothing, so all runs of the program share them.
IngressMetrics& ingress_metrics() {
  static prometheus::Registry registry;
  static IngressMetrics metrics(registry);
  return metrics;
}

Task<Result<StoredJob>> find_cached(MemoryStore& store, std::map<JobId, StoredJob>& cache,
                                    JobId id) {
  const auto found = cache.find(id);
  if (found != cache.end()) co_return found->second;
  auto row = co_await store.find("default", id);
  if (row) cache.emplace(id, *row);
  co_return row;
}

}  // namespace

Wire& Edge::wire(Host& host) {
  process_.wires.push_back(std::make_shared<Wire>(world_, process_, host));
  return *process_.wires.back();
}

relay::FindJob Edge::find_job() {
  if (mistakes_.relay_cache_is_stale)
    return [this](JobId id) { return find_cached(store_, cache_, id); };
  return [this](JobId id) { return store_.find("default", id); };
}

Edge::Edge(World& world, Process& process, Servers& servers, const Mistakes& mistakes)
    : world_(world),
      process_(process),
      mistakes_(mistakes),
      queue_(process.clock, servers.broker, wire(servers.broker_host), {}, servers.bugs),
      store_(process.clock, servers.store, wire(servers.store_host), servers.bugs),
      log_(process.clock, servers.log, wire(servers.log_host), wire(servers.log_host)),
      objects_(process.clock, servers.objects, wire(servers.objects_host), servers.link_signer),
      hub_(process.clock, log_, find_job(), relay_metrics_),
      urls_(servers.link_signer),
      relay_routes_(hub_, urls_),
      ender_(log_, store_, process.clock, process.random),
      lookup_(log_, store_, process.clock, ender_),
      cancel_(log_, store_, process.clock, ender_),
      sessions_(process.clock),
      interrupt_(log_, cancel_, sessions_, process.clock),
      submit_({queue_, log_, store_, objects_, process.clock, process.random, ingress_metrics(),
               interrupt_}),
      jobs_routes_(
          {submit_, lookup_, cancel_, store_, objects_, process.clock, ingress_metrics(),
           [this](const JobId& id, Seq after) { return relay_routes_.open_stream(id, after); },
           [this](const JobId& id) { return relay_routes_.sign_stream_url(id); }}),
      nursery_(process.clock),
      root_(process.clock) {
  jobs_routes_.add_to(router_);
  relay_routes_.add_to(router_);
}

Task<> Edge::live() {
  nursery_.start(queue_.run());
  nursery_.start(hub_.run());
  co_await nursery_.join();
  co_await submit_.join();
}

void Edge::serve(std::shared_ptr<Exchange> exchange) {
  if (process_.life->dead) {
    exchange->break_off();
    return;
  }
  nursery_.start(answer(std::move(exchange)));
}

Task<> Edge::answer(std::shared_ptr<Exchange> exchange) {
  const auto number = ++served_;
  open_.emplace(number, exchange);
  const struct Open {
    std::map<std::uint64_t, std::shared_ptr<Exchange>>& all;
    std::uint64_t number;
    ~Open() { all.erase(number); }
  } open{open_, number};
  http::Request& request = exchange->request();
  misplace(request);
  const auto match = router_.find(request.method, request.path);
  request.params = match.params;
  if (!match.handler) {
    exchange->answer(404, "", false);
    co_return;
  }
  auto response = co_await (*match.handler)(request);
  if (process_.life->dead) co_return;
  exchange->answer(response.status, response.body, static_cast<bool>(response.stream));
  if (!response.stream) co_return;
  ExchangeWriter writer(process_, exchange);
  co_await response.stream(writer);
  if (!process_.life->dead) exchange->end();
}

/// Planted: readers go on from another place than they say.
void Edge::misplace(http::Request& request) const {
  if (!mistakes_.resumes_one_late && !mistakes_.resumes_one_early) return;
  for (auto& [name, value] : request.headers) {
    if (name != "last-event-id") continue;
    const auto seq = std::stoull(value);
    value = std::to_string(mistakes_.resumes_one_late ? seq + 1 : seq - 1);
  }
}

void Edge::kill() {
  world_.note(process_.name, "killed");
  process_.life->dead = true;
  process_.life->died_at = world_.now();
  for (const auto& wire : process_.wires) wire->cut();
  for (const auto& [number, exchange] : open_) exchange->break_off();
  // On its own loop: from outside, a task could end before its cancellation arrives.
  asio::post(process_.loop, [this] { nursery_.stop(); });
}

}  // namespace millrace::sim
