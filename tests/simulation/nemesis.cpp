#include "tests/simulation/nemesis.h"

namespace millrace::sim {

Nemesis::Nemesis(World& world, Servers& servers, Cluster& cluster, const Plan& plan)
    : world_(world), servers_(servers), cluster_(cluster), plan_(plan) {
  const Troubles& may = plan.troubles;
  const std::pair<bool, Act> all[] = {{may.crashes, &Nemesis::crash},
                                      {may.stops, &Nemesis::stop_one},
                                      {may.drains, &Nemesis::drain_one},
                                      {may.log_loses_all, &Nemesis::lose_log},
                                      {may.log_restarts, &Nemesis::restart_log},
                                      {may.log_away, &Nemesis::log_away},
                                      {may.store_away, &Nemesis::store_away},
                                      {may.broker_away, &Nemesis::broker_away},
                                      {may.wall_jumps, &Nemesis::jump_wall},
                                      {may.log_clock_jumps, &Nemesis::jump_log_clock}};
  for (const auto& [on, act] : all)
    if (on) acts_.push_back(act);
  brew();
  world_.after(plan.trouble_for, [this] { mend(); });
  if (!acts_.empty()) world_.after(world_.chance.ms(200, 3000), [this] { strike(); });
}

/// The weather of the whole time.
void Nemesis::brew() {
  const Troubles& may = plan_.troubles;
  const auto bad = [this](std::uint64_t slowest_ms) {
    return Weather{.lose_request = static_cast<std::uint32_t>(world_.chance.between(0, 200)),
                   .lose_answer = static_cast<std::uint32_t>(world_.chance.between(0, 300)),
                   .delay_request = static_cast<std::uint32_t>(world_.chance.between(0, 60)),
                   .refuse = static_cast<std::uint32_t>(world_.chance.between(0, 300)),
                   .cut = static_cast<std::uint32_t>(world_.chance.between(0, 200)),
                   .slowest_ms = world_.chance.between(1, slowest_ms)};
  };
  if (may.lossy_log) servers_.log_host.weather = bad(40);
  if (may.lossy_store) servers_.store_host.weather = bad(40);
  if (may.lossy_broker) servers_.broker_host.weather = bad(100);
  if (may.lossy_pushes) servers_.log_host.weather.lose_push = 1000;
  if (may.bad_model)
    servers_.mood = {.cut = 2500, .busy = 800, .broken = 800, .refuses = 200, .stalls = 300};
}

void Nemesis::mend() {
  over_ = true;
  world_.note("fate", "all is mended");
  for (Host* host : {&servers_.log_host, &servers_.store_host, &servers_.broker_host}) {
    host->weather = {};
    if (!host->up) back(*host);
  }
  servers_.mood = {};
  cluster_.mend();
}

void Nemesis::strike() {
  if (over_) return;
  const Act act = acts_[world_.chance.between(0, acts_.size() - 1)];
  (this->*act)();
  world_.after(world_.chance.ms(50, 6000), [this] { strike(); });
}

Process* Nemesis::any() {
  const auto edges = cluster_.edges();
  const auto place = world_.chance.between(0, edges + 2 * cluster_.workers() - 1);
  if (place < edges) {
    Edge* edge = cluster_.edge(place);
    return edge ? &edge->process() : nullptr;
  }
  WorkerHost* worker = cluster_.worker((place - edges) % cluster_.workers());
  return worker ? &worker->process() : nullptr;
}

void Nemesis::crash() {
  const auto edges = cluster_.edges();
  const auto place = world_.chance.between(0, edges + 2 * cluster_.workers() - 1);
  const Duration down_for = world_.chance.ms(50, 4000);
  if (place < edges)
    cluster_.kill_edge(place, down_for);
  else
    cluster_.kill_worker((place - edges) % cluster_.workers(), down_for);
}

void Nemesis::stop_one() {
  Process* process = any();
  if (!process || process->stopped) return;
  world_.stop(*process);
  world_.after(world_.chance.percent(50) ? world_.chance.ms(20, 3000)
                                         : world_.chance.ms(8000, longest_stop / 1ms),
               [this, process] { world_.resume(*process); });
}

void Nemesis::drain_one() {
  cluster_.drain_worker(world_.chance.between(0, cluster_.workers() - 1));
}

void Nemesis::lose_log() {
  world_.note("fate", "FLUSHALL");
  ++servers_.log_host.losses;
  servers_.log.lose_everything();
}

void Nemesis::restart_log() {
  world_.note("fate", "the log restarts");
  servers_.log.restart();
  if (plan_.troubles.log_loses_all && world_.chance.percent(50)) lose_log();
  away(servers_.log_host, world_.chance.ms(10, 800));
}

/// Its connections break at once, or nobody hears of it until it is back.
void Nemesis::away(Host& host, Duration time) {
  world_.note("fate", "the " + host.name + " is away");
  host.up = false;
  ++host.epoch;
  if (world_.chance.percent(70)) host.cut_all();
  world_.after(time, [this, &host, epoch = host.epoch] {
    if (host.epoch == epoch && !host.up) back(host);
  });
}

void Nemesis::back(Host& host) {
  world_.note("fate", "the " + host.name + " is back");
  host.up = true;
  host.cut_all();
}

void Nemesis::log_away() {
  away(servers_.log_host,
       world_.chance.percent(80) ? world_.chance.ms(100, 6000) : world_.chance.ms(5000, 80'000));
}
void Nemesis::store_away() {
  away(servers_.store_host, world_.chance.ms(100, 12'000));
}
void Nemesis::broker_away() {
  away(servers_.broker_host, world_.chance.ms(100, 15'000));
}

void Nemesis::jump_wall() {
  Process* process = any();
  if (!process) return;
  const auto by = std::chrono::milliseconds(world_.chance.between(0, 20'000)) - 10s;
  process->clock.jump_wall(std::chrono::duration_cast<std::chrono::milliseconds>(by));
  world_.note(process->name, "its wall clock jumps");
}

void Nemesis::jump_log_clock() {
  log_clock_jumped_ = true;
  // After a loss numbers go on from this clock: one that was set back gives old ones again.
  const std::uint64_t back_ms = plan_.troubles.log_loses_all ? 0 : 12'000;
  servers_.log_clock_wrong_by +=
      std::chrono::milliseconds(world_.chance.between(0, 12'000 + back_ms)) -
      std::chrono::milliseconds(back_ms);
  world_.note("fate", "the log's clock jumps");
}

}  // namespace millrace::sim
