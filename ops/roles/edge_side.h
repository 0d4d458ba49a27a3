#pragma once
#include <prometheus/registry.h>

#include <vector>

#include "ops/roles/edge_role.h"
#include "ops/roles/run_roles.h"

namespace millrace {

/// The edge loops of a process and what they share; outlives them.
class EdgeSide {
 public:
  /// `others`: what else of the process `/metrics` shows.
  EdgeSide(const Config& config, Services& services,
           std::vector<const prometheus::Collectable*> others = {});

  /// `on_listening` hears of each loop that serves, on that loop.
  std::vector<MakeRole> roles(std::function<void(const std::string& url)> on_listening = {});

 private:
  prometheus::Registry registry_;
  IngressMetrics ingress_metrics_;
  access::GateMetrics gate_metrics_;
  relay::RelayMetrics relay_metrics_;
  conversations::ModelProbe model_;
  CountsExport counts_;
  EdgeShared shared_;
};

}  // namespace millrace
