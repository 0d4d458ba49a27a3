#include "ops/roles/commands.h"
#include "ops/roles/queue_options.h"
#include "ops/roles/run_roles.h"
#include "ops/roles/worker_role.h"
#include "workers/llm/request_body.h"

namespace millrace {
namespace {

void export_counts(CountsExport& to, const WorkerCounts& work, const KafkaQueue& queue) {
  to.gauge("millrace_jobs_in_flight", "Jobs running now", reading(work.in_flight));
  to.counter("millrace_runs_total", "Runs begun", reading(work.runs));
  to.counter("millrace_jobs_succeeded_total", "Jobs that succeeded", reading(work.succeeded));
  to.counter("millrace_jobs_failed_total", "Jobs that failed", reading(work.failed));
  to.counter("millrace_jobs_cancelled_total", "Jobs that were cancelled", reading(work.cancelled));
  to.counter("millrace_jobs_expired_total", "Jobs whose deadline passed", reading(work.expired));
  to.counter("millrace_retries_total", "Runs that failed and come again", reading(work.retried));
  to.counter("millrace_given_back_total", "Runs handed over", reading(work.given_back));
  to.histogram("millrace_append_events", "Events written together", work.append_events);
  to.histogram("millrace_first_event_seconds", "From a job's acceptance to its first `started`",
               work.first_event);
  to.histogram("millrace_llm_first_token_seconds", "From the call of the model to its first words",
               work.first_token);
  to.histogram("millrace_llm_turn_seconds", "Calls of the model, however they ended", work.turn);
  to.counter("millrace_turns_prefilled_total", "Turns that went on", reading(work.prefilled));
  to.counter("millrace_turns_rewound_total", "Turns that started over", reading(work.rewound));
  const auto& counts = queue.counts();
  to.gauge("millrace_queue_held_bytes", "Of records fetched and not finished",
           reading(counts.held_bytes));
  to.gauge("millrace_queue_paused", "1 while fetching is paused", reading(counts.paused));
  to.counter("millrace_queue_delivered_total", "Deliveries to workers", reading(counts.delivered));
  to.counter("millrace_queue_dead_total", "Dead letters written", reading(counts.dead));
  to.counter("millrace_queue_rebalances_total", "Rebalances", reading(counts.rebalances));
}

}  // namespace

int run_worker(const Config& config) {
  require_servers(config);
  if (config.llm_server_url.empty())
    throw std::invalid_argument(
        "no model: set LLM_SERVER_URL to an OpenAI-compatible server, or start `millrace llm-sim` "
        "and name its address");
  if (const auto fault = prefill_body_fault(config.llm_prefill_body); !fault.empty())
    throw std::invalid_argument("LLM_PREFILL_BODY " + fault);
  SystemRandom random;
  KafkaQueue queue(queue_options(config, config.worker_threads));
  SqliteStore store(config.database_url, random);
  QuietRoom room;
  WorkerCounts work;
  CountsExport counts;
  export_counts(counts, work, queue);
  WorkerShared shared{config, queue, store, {&counts}, room, work};
  std::vector<MakeRole> roles;
  for (std::uint32_t number = 0; number < config.worker_threads; ++number)
    roles.emplace_back([&shared, number](Loop& loop) {
      return std::make_unique<WorkerRole>(loop, shared, number);
    });
  return run_roles(roles);
}

}  // namespace millrace
