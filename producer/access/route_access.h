#pragma once
#include <optional>
#include <string_view>

#include "shared/api_keys.h"
#include "shared/http/message.h"

namespace millrace::access {

/// What a route asks of whoever asks it.
struct RouteAccess {
  std::optional<Scope> scope;  ///< nothing: open to everybody, and never limited
  bool by_link = false;        ///< a signature in the query, which the route judges, opens it too
};

/// The one table of it, by method and pattern. A route that is not named here needs a key: `read`
/// for GET, `submit` for the rest.
RouteAccess access_of(http::Method method, std::string_view pattern);

}  // namespace millrace::access
