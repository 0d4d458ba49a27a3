#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "shared/http/message.h"
#include "shared/runtime/limits.h"

namespace millrace::http {

/// What a route takes beside its handler.
struct RouteLimits {
  std::size_t body_bytes_max = limits::body_bytes_max;
};

/// Which handler serves what. Filled before the server starts, then only read (by all loops).
class Router {
 public:
  /// `pattern` like `/v1/jobs/{id}/events`; `{…}` matches one non-empty segment. Literal segments
  /// win over `{…}`, so the order of calls does not matter. GET serves HEAD too; OPTIONS is
  /// answered by the server unless it is added here.
  void add(Method method, std::string_view pattern, Handler handler, RouteLimits route_limits = {});

  struct Match {
    const Handler* handler = nullptr;  ///< null: no such path, or not this method
    RouteLimits route_limits;
    std::vector<std::string> params;
    std::string allow;         ///< for 405 and OPTIONS; empty: no such path
    std::string_view pattern;  ///< for metrics
  };
  /// `raw_path` is still percent-encoded: segments are cut first and decoded then, so that an
  /// encoded slash stays inside its segment. A trailing slash or an empty segment makes another
  /// path. A segment that does not decode matches nothing.
  Match find(Method method, std::string_view raw_path) const;

  /// Every pattern, with commas between them: for who asked for none of them.
  std::string patterns() const;

 private:
  struct Served {
    Method method;
    Handler handler;
    RouteLimits route_limits;
  };
  struct Route {
    std::string pattern;
    std::vector<std::string> segments;
    std::vector<Served> methods;
  };
  /// The more literal route comes first.
  std::vector<Route> routes_;
};

}  // namespace millrace::http
