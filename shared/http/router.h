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

/// Which handler serves what. Filled before the server starts, then only read.
class Router {
 public:
  /// `pattern` like `/v1/jobs/{id}/events`; `{…}` matches one non-empty segment.
  void add(Method method, std::string_view pattern, Handler handler, RouteLimits route_limits = {});

  struct Match {
    const Handler* handler = nullptr;  ///< null: no such path, or not this method
    RouteLimits route_limits;
    std::vector<std::string> params;
    std::string allow;         ///< for 405 and OPTIONS; empty: no such path
    std::string_view pattern;  ///< for metrics
  };
  /// `path` is percent-decoded.
  Match find(Method method, std::string_view path) const;

 private:
  struct Route {
    std::string pattern;
    std::vector<std::string> segments;
    std::vector<std::pair<Method, std::pair<Handler, RouteLimits>>> methods;
  };
  std::vector<Route> routes_;
};

}  // namespace millrace::http
