#pragma once
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/registry.h>

#include <string>

namespace millrace::access {

/// What the door turns away, by the problem's code. All loops of a process may share one: its
/// counters are thread-safe.
class GateMetrics {
 public:
  explicit GateMetrics(prometheus::Registry& registry);
  void refused(const std::string& code);

 private:
  prometheus::Family<prometheus::Counter>& refused_;
};

}  // namespace millrace::access
