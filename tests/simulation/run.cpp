#include "tests/simulation/run.h"

#include "tests/simulation/judge.h"

namespace millrace::sim {
namespace {

/// After the last trouble: five attempts with their waits, a lease of a holder that died, a
/// `not_before`, a log that was away for a minute.
constexpr Duration patience = 15min;
constexpr Duration look_every = 500ms;
/// How long tasks may take to end once they are told to.
constexpr Duration end_within = 3min;

void run_to_the_end(World& world, const Judge& judge, const Nemesis& nemesis, Instant last_job) {
  const Instant quiet_at = last_job + 1s;
  while (!world.failure() && (!nemesis.over() || world.now() < quiet_at))
    world.run_until(world.now() + look_every);
  const Instant give_up = world.now() + patience;
  while (!world.failure() && !judge.all_done() && world.now() < give_up)
    world.run_until(world.now() + look_every);
}

}  // namespace

Report run_seed(std::uint64_t seed, const RunOptions& options) {
  World world(seed);
  world.trace.keep(options.events_kept);
  world.clocks_stop_too = options.mistakes.lease_clock_stops;
  const Plan plan = make_plan(world.chance, world.now());
  Servers servers(world, options.mistakes.adapters, plan.log);
  Cluster cluster(world, servers, plan, options.mistakes);
  Nemesis nemesis(world, servers, cluster, plan);
  Clients clients(world, cluster, plan);
  Judge judge(world, servers, clients, nemesis, plan);

  Instant last_job = world.now();
  for (const JobPlan& job : plan.jobs) last_job = std::max(last_job, job.at);
  run_to_the_end(world, judge, nemesis, last_job);
  if (!world.failure()) judge.sum_up();

  Report report{.seed = seed,
                .hash = world.trace.hash(),
                .events = world.trace.count(),
                .steps = world.steps,
                .took = world.elapsed(),
                .plan = describe(plan),
                .broken = world.failure(),
                .last_events = world.trace.last()};

  world.forgive();
  clients.stop();
  cluster.end();
  const Instant give_up = world.now() + end_within;
  while ((!cluster.ended() || !clients.idle()) && world.now() < give_up)
    world.run_until(world.now() + 1s);
  if (!report.broken && (!cluster.ended() || !clients.idle()))
    report.broken = Broken{"end", "a task goes on after it was told to end"};
  return report;
}

std::optional<Report> first_broken(std::uint64_t from, std::uint64_t count,
                                   const RunOptions& options) {
  for (std::uint64_t seed = from; seed < from + count; ++seed) {
    Report report = run_seed(seed, options);
    if (report.broken) return report;
  }
  return std::nullopt;
}

std::string told(const Report& report, std::string_view planted) {
  const std::string seed = std::to_string(report.seed);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(report.took).count();
  std::string text = "seed " + seed + " broke " + report.broken->promise + " after " +
                     std::to_string(ms) + " ms of its time: " + report.broken->how +
                     "\nits world: " + report.plan + "\nthe last events:\n" + report.last_events +
                     "again: simulate --from " + seed + " --trace 0";
  if (!planted.empty()) text.append(" --planted ").append(planted);
  return text + "\n";
}

}  // namespace millrace::sim
