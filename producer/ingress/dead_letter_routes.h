#pragma once
#include <functional>

#include "producer/ingress/redrive.h"
#include "shared/dead_letters.h"
#include "shared/http/router.h"

namespace millrace {

/// `GET /v1/dead-letters` (newest first; `limit`, `after`) and `POST /v1/dead-letters/redrive`
/// (`{"id"}`: that job's; else those not sent before, a page a request, from `{"after"}` on).
/// Outlives the server that uses its router.
class DeadLetterRoutes {
 public:
  /// Null where they are not the edge's to ask for: lists are refused then, with what to do.
  /// `keeps`: of a job made now something would be left; empty: always. `redrive` outlives this.
  DeadLetterRoutes(DeadLetters* letters, Redrive& redrive, std::function<bool()> keeps = {})
      : letters_(letters), redrive_(redrive), keeps_(std::move(keeps)) {}
  DeadLetterRoutes(const DeadLetterRoutes&) = delete;
  DeadLetterRoutes& operator=(const DeadLetterRoutes&) = delete;

  void add_to(http::Router& router);

 private:
  Task<http::Response> list(http::Request& request);
  Task<http::Response> redrive(http::Request& request);

  DeadLetters* letters_;
  Redrive& redrive_;
  std::function<bool()> keeps_;
};

}  // namespace millrace
