#include "producer/ingress/metrics.h"

namespace millrace {
namespace {

prometheus::Counter& counter(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

prometheus::Histogram::BucketBoundaries accept_buckets() {
  return {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10};
}

}  // namespace

IngressMetrics::IngressMetrics(prometheus::Registry& registry)
    : accepted_(
          counter(registry, "millrace_jobs_accepted_total", "Jobs the queue has acknowledged")),
      attached_(counter(registry, "millrace_jobs_attached_total",
                        "Requests whose idempotency key found its job")),
      refused_(prometheus::BuildCounter()
                   .Name("millrace_jobs_refused_total")
                   .Help("Requests for a job that were refused, by problem code")
                   .Register(registry)),
      seconds_(prometheus::BuildHistogram()
                   .Name("millrace_job_accept_seconds")
                   .Help("From the request to the queue's acknowledgement")
                   .Register(registry)
                   .Add({}, accept_buckets())) {}

void IngressMetrics::accepted(Duration took) {
  accepted_.Increment();
  seconds_.Observe(std::chrono::duration<double>(took).count());
}

void IngressMetrics::refused(const std::string& code) {
  refused_.Add({{"code", code}}).Increment();
}

}  // namespace millrace
