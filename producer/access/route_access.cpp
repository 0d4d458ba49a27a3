#include "producer/access/route_access.h"

#include <algorithm>
#include <array>

namespace millrace::access {
namespace {

struct Area {
  std::string_view pattern;  ///< itself, and with a `/` at its end all below it
  RouteAccess access;
};

constexpr RouteAccess open{};
constexpr RouteAccess admin{.scope = Scope::admin};
constexpr RouteAccess by_link{.scope = Scope::read, .by_link = true};

// Pages are files of the program, the same for everybody. `/metrics` counts everybody's jobs, the
// dead letters show why they failed. Who has a webhook's secret can write what it signs.
constexpr std::array areas{
    Area{"/livez", open},
    Area{"/readyz", open},
    Area{"/health", open},
    Area{"/api/health", open},
    Area{"/", open},
    Area{"/assets/", open},
    Area{"/docs", open},
    Area{"/docs/", open},
    Area{"/redoc", open},
    Area{"/redoc/", open},
    Area{"/v1/schemas/", open},
    Area{"/metrics", admin},
    Area{"/v1/dead-letters", admin},
    Area{"/v1/dead-letters/", admin},
    Area{"/v1/webhooks/secret", admin},
    Area{"/v1/webhooks/secret/", admin},
    Area{"/v1/jobs/{id}/events", by_link},
    Area{"/v1/objects", by_link},
};

/// `/index.html`, `/openapi.json`: no other route has a dot in its one segment.
bool is_file_of_the_program(std::string_view pattern) {
  return pattern.contains('.') && pattern.find('/', 1) == pattern.npos && !pattern.contains('{');
}

bool lies_in(std::string_view pattern, const Area& area) {
  if (pattern == area.pattern) return true;
  return area.pattern.size() > 1 && area.pattern.ends_with('/') &&
         pattern.starts_with(area.pattern);
}

}  // namespace

RouteAccess access_of(http::Method method, std::string_view pattern) {
  const auto* const area =
      std::ranges::find_if(areas, [&](const Area& each) { return lies_in(pattern, each); });
  if (area != areas.end()) return area->access;
  if (is_file_of_the_program(pattern)) return open;
  const bool reads = method == http::Method::get || method == http::Method::head;
  return {.scope = reads ? Scope::read : Scope::submit};
}

}  // namespace millrace::access
