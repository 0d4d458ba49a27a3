#include "ops/roles/worker_side.h"

#include <stdexcept>

#include "workers/llm/request_body.h"

namespace millrace {
namespace {

void export_counts(CountsExport& to, const WorkerCounts& work) {
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
}

void export_counts(CountsExport& to, const WebhookCounts& sent) {
  to.counter("millrace_webhooks_delivered_total", "Webhooks taken by their receivers",
             reading(sent.delivered));
  to.counter("millrace_webhooks_failed_total", "Webhooks given up", reading(sent.failed));
  to.counter("millrace_webhooks_retried_total", "Tries that failed and come again",
             reading(sent.retried));
  to.gauge("millrace_webhooks_in_flight", "Webhooks being sent now", reading(sent.in_flight));
  to.gauge("millrace_webhooks_pending", "Webhooks not delivered yet, of all processes",
           reading(sent.pending));
}

const Config& checked(const Config& config) {
  if (const auto fault = prefill_body_fault(config.llm_prefill_body); !fault.empty())
    throw std::invalid_argument("LLM_PREFILL_BODY " + fault);
  return config;
}

}  // namespace

WorkerSide::WorkerSide(const Config& config, Services& services)
    : guard_(config.webhook_allow),
      shared_{checked(config), services, {&counts_}, room_, work_, webhooks_, deliveries_, guard_} {
  export_counts(counts_, work_);
  export_counts(counts_, webhooks_);
}

std::vector<MakeRole> WorkerSide::roles() {
  std::vector<MakeRole> roles;
  for (std::uint32_t number = 0; number < shared_.config.worker_threads; ++number)
    roles.emplace_back(
        [this, number](Loop& loop) { return std::make_unique<WorkerRole>(loop, shared_, number); });
  return roles;
}

}  // namespace millrace
