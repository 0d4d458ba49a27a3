#pragma once
#include <prometheus/collectable.h>

#include <functional>
#include <vector>

#include "shared/event_log.h"
#include "shared/http/router.h"
#include "shared/store.h"

namespace millrace {

/// `/livez` (the loop runs), `/readyz` (everything a job needs answers; 503 and which does not
/// otherwise, with what an operator has to mend in `detail`) and `/metrics` (Prometheus text).
/// Outlives the server that uses its router.
class HealthRoutes {
 public:
  struct Parts {
    std::function<bool()> queue_ready;  ///< it has acknowledged something; called on this loop
    const EventLog& log;
    const Store& store;
    std::vector<const prometheus::Collectable*> metrics;
    /// What an operator has to mend, in a sentence; empty: nothing. Called on this loop.
    std::function<std::string()> trouble{};
  };
  explicit HealthRoutes(Parts parts) : parts_(std::move(parts)) {}
  HealthRoutes(const HealthRoutes&) = delete;
  HealthRoutes& operator=(const HealthRoutes&) = delete;

  void add_to(http::Router& router);

 private:
  Task<http::Response> alive(http::Request& request);
  Task<http::Response> ready(http::Request& request);
  Task<http::Response> metrics(http::Request& request);

  Parts parts_;
};

}  // namespace millrace
