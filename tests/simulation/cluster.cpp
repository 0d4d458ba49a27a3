#include "tests/simulation/cluster.h"

namespace millrace::sim {
namespace {
constexpr Duration tend_every = 50ms;
}

Cluster::Cluster(World& world, Servers& servers, const Plan& plan, const Mistakes& mistakes)
    : world_(world),
      servers_(servers),
      plan_(plan),
      mistakes_(mistakes),
      edges_(plan.edges),
      workers_(plan.workers) {
  for (std::size_t i = 0; i < edges_.size(); ++i) start_edge(i);
  for (std::size_t i = 0; i < workers_.size(); ++i) start_worker(i);
  world_.after(tend_every, [this] { tend(); });
}

void Cluster::start_edge(std::size_t place) {
  auto& here = edges_[place];
  const auto name = "edge" + std::to_string(place) + "." + std::to_string(++here.starts);
  here.role = std::make_unique<Edge>(world_, world_.process(name), servers_, mistakes_);
  here.role->start();
  world_.note(name, "starts");
}

void Cluster::start_worker(std::size_t place) {
  auto& here = workers_[place];
  const auto name = "work" + std::to_string(place) + "." + std::to_string(++here.starts);
  const WorkerHost::Options options{
      .jobs_in_flight = plan_.jobs_in_flight,
      .llm_continue = plan_.prefill ? LlmContinue::prefill : LlmContinue::rewind,
      .leases_are_known = !plan_.log_may_lose() && !plan_.troubles.log_clock_jumps};
  here.role = std::make_unique<WorkerHost>(world_, world_.process(name), servers_, options);
  here.role->start();
  world_.note(name, "starts");
}

void Cluster::kill_edge(std::size_t place, Duration down_for) {
  auto& here = edges_[place];
  if (!here.role) return;
  world_.resume(here.role->process());
  here.role->kill();
  dying_edges_.push_back(std::move(here.role));
  here.up_at = world_.now() + down_for;
}

void Cluster::kill_worker(std::size_t place, Duration down_for) {
  auto& here = workers_[place];
  if (!here.role) return;
  world_.resume(here.role->process());
  here.role->kill();
  dying_workers_.push_back(std::move(here.role));
  here.up_at = world_.now() + down_for;
}

void Cluster::drain_worker(std::size_t place) {
  auto& here = workers_[place];
  if (!here.role || here.role->process().stopped) return;
  here.role->drain();
  dying_workers_.push_back(std::move(here.role));
  here.up_at = world_.now() + 1s;
}

template <class Role>
void Cluster::bury(std::unique_ptr<Role>& role) {
  Process& process = role->process();
  role.reset();
  process.gone = true;
  process.life->dead = true;
}

void Cluster::tend() {
  for (auto& role : dying_edges_)
    if (role->ended()) bury(role);
  for (auto& role : dying_workers_)
    if (role->ended()) bury(role);
  std::erase(dying_edges_, nullptr);
  std::erase(dying_workers_, nullptr);
  for (std::size_t i = 0; i < edges_.size() && !ending_; ++i)
    if (!edges_[i].role && world_.now() >= edges_[i].up_at) start_edge(i);
  for (std::size_t i = 0; i < workers_.size() && !ending_; ++i)
    if (!workers_[i].role && world_.now() >= workers_[i].up_at) start_worker(i);
  world_.after(tend_every, [this] { tend(); });
}

void Cluster::mend() {
  for (auto& place : edges_) {
    if (place.role) world_.resume(place.role->process());
    place.up_at = world_.now();
  }
  for (auto& place : workers_) {
    if (place.role) world_.resume(place.role->process());
    place.up_at = world_.now();
  }
  for (auto& role : dying_workers_) world_.resume(role->process());
}

void Cluster::end() {
  ending_ = true;
  for (std::size_t i = 0; i < edges_.size(); ++i) kill_edge(i, 1h);
  for (std::size_t i = 0; i < workers_.size(); ++i) kill_worker(i, 1h);
  for (auto& role : dying_workers_)
    if (!role->process().life->dead) role->kill();
}

bool Cluster::ended() const {
  return dying_edges_.empty() && dying_workers_.empty();
}

}  // namespace millrace::sim
