#pragma once
#include "ops/roles/loop.h"
#include "shared/http/server.h"
#include "shared/runtime/config.h"
#include "workers/llm/simulator.h"

namespace millrace {

/// The model simulator behind an HTTP server of its own.
class SimRole final : public Role {
 public:
  SimRole(Loop& loop, const Config& config);

  Task<> run() override;
  void drain() override;

 private:
  const Config& config_;
  Simulator simulator_;
  http::Router router_;
  http::Server server_;
};

}  // namespace millrace
