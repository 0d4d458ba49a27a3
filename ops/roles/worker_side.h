#pragma once
#include <vector>

#include "ops/roles/run_roles.h"
#include "ops/roles/worker_role.h"

namespace millrace {

/// The worker loops of a process and what they share; outlives them.
class WorkerSide {
 public:
  /// Throws std::invalid_argument where the configuration of the model makes no sense. Without a
  /// model in it the loops ask simulators of their own.
  WorkerSide(const Config& config, Services& services);

  std::vector<MakeRole> roles();
  const prometheus::Collectable& counts() const { return counts_; }
  /// In a process of workers alone, whose own `/metrics` tells of the services too.
  void export_services() { shared_.services.export_counts(counts_); }

 private:
  QuietRoom room_;
  WorkerCounts work_;
  WebhookCounts webhooks_;
  DeliveryNews deliveries_;
  const outbound::Guard guard_;
  CountsExport counts_;
  WorkerShared shared_;
};

}  // namespace millrace
