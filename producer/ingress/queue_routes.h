#pragma once
#include <functional>
#include <optional>

#include "shared/http/router.h"
#include "shared/job_queue.h"

namespace millrace {

/// `GET /v1/queue`: `{"waiting","finished_per_s"}` over all jobs that nobody has finished, whoever
/// runs them; null where that is not known yet. Outlives the server that uses its router.
class QueueRoutes {
 public:
  /// `lag` is called on this loop; it must not wait.
  explicit QueueRoutes(std::function<std::optional<QueueLag>()> lag) : lag_(std::move(lag)) {}
  QueueRoutes(const QueueRoutes&) = delete;
  QueueRoutes& operator=(const QueueRoutes&) = delete;

  void add_to(http::Router& router);

 private:
  Task<http::Response> show(http::Request& request);

  std::function<std::optional<QueueLag>()> lag_;
};

}  // namespace millrace
