#pragma once
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <string>

#include "shared/runtime/time.h"

namespace millrace {

/// What the way in counts. All loops of a process may share one: its counters are thread-safe.
class IngressMetrics {
 public:
  explicit IngressMetrics(prometheus::Registry& registry);

  /// A 202 (or its like): the queue has the job. `took`: since the request was read.
  void accepted(Duration took);
  /// A keyed request that found its job.
  void attached() { attached_.Increment(); }
  /// By the problem's code.
  void refused(const std::string& code);

 private:
  prometheus::Counter& accepted_;
  prometheus::Counter& attached_;
  prometheus::Family<prometheus::Counter>& refused_;
  prometheus::Histogram& seconds_;
};

}  // namespace millrace
