#include "tests/simulation/plan.h"

namespace millrace::sim {
namespace {

constexpr std::uint32_t calm_percent = 15;
constexpr std::uint32_t each_trouble_percent = 30;

ReaderPlan make_reader(Chance& chance) {
  ReaderPlan reader;
  reader.begins_after = chance.percent(60) ? chance.ms(0, 50) : chance.ms(0, 8000);
  reader.snapshot = chance.percent(12);
  reader.cuts = chance.percent(60) ? static_cast<std::uint32_t>(chance.between(0, 4)) : 0;
  reader.stalls = chance.percent(10) ? 1 : 0;
  return reader;
}

JobPlan make_job(Chance& chance, const Plan& plan, std::size_t number, Instant begin) {
  JobPlan job;
  job.at = begin + chance.ms(0, 12'000);
  job.tag = "j" + std::to_string(number);
  if (chance.percent(45)) job.session = "s" + std::to_string(chance.between(1, 2));
  job.words = chance.between(1, chance.percent(15) ? 60 : 12);
  job.gap_ms = chance.percent(10) ? chance.between(1000, 5000) : chance.between(1, 400);
  if (chance.percent(5)) job.gap_ms = chance.between(10'500, 14'000);  // longer than a lease
  if (job.gap_ms >= 1000) job.words = std::min<std::size_t>(job.words, 6);
  if (job.gap_ms >= 10'000) job.words = std::min<std::size_t>(job.words, 2);
  if (chance.percent(40)) {
    job.key = "key-" + job.tag;
    if (chance.percent(25)) job.copies = static_cast<std::uint32_t>(chance.between(2, 3));
  }
  if (chance.percent(8))
    job.deadline_s = static_cast<double>(chance.between(1, 12));
  else if (chance.percent(6))
    job.not_before_ms = static_cast<std::int64_t>(chance.between(500, 40'000));
  if (chance.percent(10)) job.wait_s = static_cast<std::uint32_t>(chance.between(1, 20));
  if (chance.percent(22)) job.cancel_after = chance.ms(0, 6000);
  const auto readers = chance.between(plan.calm ? 1 : 0, 3);
  for (std::uint64_t i = 0; i < readers; ++i) job.readers.push_back(make_reader(chance));
  return job;
}

Troubles make_troubles(Chance& chance) {
  Troubles troubles;
  for (bool* const one :
       {&troubles.crashes, &troubles.stops, &troubles.drains, &troubles.log_loses_all,
        &troubles.log_restarts, &troubles.log_away, &troubles.store_away, &troubles.broker_away,
        &troubles.lossy_log, &troubles.lossy_store, &troubles.lossy_broker, &troubles.lossy_pushes,
        &troubles.bad_model, &troubles.wall_jumps})
    *one = chance.percent(each_trouble_percent);
  troubles.log_clock_jumps = chance.percent(8);
  return troubles;
}

}  // namespace

Plan make_plan(Chance& chance, Instant begin) {
  Plan plan;
  plan.calm = chance.percent(calm_percent);
  if (!plan.calm) plan.troubles = make_troubles(chance);
  plan.trouble_for = chance.ms(8000, 30'000);
  plan.edges = chance.between(1, 2);
  plan.workers = chance.between(1, 3);
  plan.jobs_in_flight = static_cast<std::uint32_t>(chance.percent(20) ? 2 : 8);
  plan.prefill = chance.percent(50);
  if (chance.percent(15)) plan.log.log_events_max = chance.between(16, 40);
  if (!plan.calm && chance.percent(10)) plan.log.events_ttl = chance.ms(2000, 20'000);
  const auto jobs = chance.between(4, 12);
  for (std::size_t i = 0; i < jobs; ++i) plan.jobs.push_back(make_job(chance, plan, i, begin));
  return plan;
}

std::string describe(const Plan& plan) {
  std::string text = std::to_string(plan.jobs.size()) + " jobs, " + std::to_string(plan.edges) +
                     " edges, " + std::to_string(plan.workers) + " workers";
  const Troubles& may = plan.troubles;
  const std::pair<bool, const char*> said[] = {
      {plan.calm, "calm"},
      {plan.prefill, "prefill"},
      {may.crashes, "crashes"},
      {may.stops, "stops"},
      {may.drains, "drains"},
      {may.log_loses_all, "log loses all"},
      {may.log_restarts, "log restarts"},
      {may.log_away, "log away"},
      {may.store_away, "store away"},
      {may.broker_away, "broker away"},
      {may.lossy_log, "lossy log"},
      {may.lossy_store, "lossy store"},
      {may.lossy_broker, "lossy broker"},
      {may.lossy_pushes, "lossy pushes"},
      {may.bad_model, "bad model"},
      {may.wall_jumps, "wall clocks jump"},
      {may.log_clock_jumps, "log's clock jumps"},
      {plan.log.events_ttl < limits::log_kept_after_end, "short-lived logs"},
      {plan.log.log_events_max < limits::log_events_max, "short logs"},
  };
  for (const auto& [on, name] : said)
    if (on) text.append(", ").append(name);
  return text;
}

}  // namespace millrace::sim
