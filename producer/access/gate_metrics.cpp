#include "producer/access/gate_metrics.h"

namespace millrace::access {

GateMetrics::GateMetrics(prometheus::Registry& registry)
    : refused_(prometheus::BuildCounter()
                   .Name("millrace_gate_refused_total")
                   .Help("Requests of any route that were refused before they were read, by "
                         "problem code")
                   .Register(registry)) {
  // There from the beginning, so that a first refusal is a rise.
  for (const char* code :
       {"missing_api_key", "invalid_api_key", "insufficient_scope", "rate_limit_exceeded",
        "store_unavailable", "cross_origin", "host_not_allowed"})
    refused_.Add({{"code", code}});
}

void GateMetrics::refused(const std::string& code) {
  refused_.Add({{"code", code}}).Increment();
}

}  // namespace millrace::access
