#pragma once
#include <functional>

#include "producer/ingress/refusal.h"
#include "shared/dead_letters.h"
#include "shared/http/router.h"

namespace millrace {

/// `GET /v1/dead-letters` (newest first; `limit`, `after`) and `POST /v1/dead-letters/redrive`
/// (`{"id"}`: that job's; else those not sent before, a page a request, from `{"after"}` on), for
/// whoever runs this millrace. Outlives the server that uses its router.
class DeadLetterRoutes {
 public:
  /// Null where they are not the edge's to ask for: both are refused then, with what to do.
  /// `keeps`: of a job made now something would be left; empty: always.
  explicit DeadLetterRoutes(DeadLetters* letters, std::function<bool()> keeps = {})
      : letters_(letters), keeps_(std::move(keeps)) {}
  DeadLetterRoutes(const DeadLetterRoutes&) = delete;
  DeadLetterRoutes& operator=(const DeadLetterRoutes&) = delete;

  void add_to(http::Router& router);

 private:
  Task<http::Response> list(http::Request& request);
  Task<http::Response> redrive(http::Request& request);
  Task<http::Response> redrive_one(std::string tenant, JobId id);

  DeadLetters* letters_;
  std::function<bool()> keeps_;
};

}  // namespace millrace
