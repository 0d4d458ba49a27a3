#pragma once
#include <optional>
#include <string_view>

#include "shared/http/message.h"

namespace millrace::http {

/// What a gate says of a request.
struct Passage {
  std::optional<Response> refused;  ///< sent instead of what the route would answer
  Headers headers;                  ///< go with the answer, whoever makes it
};

/// Who may ask what, and how often: asked about each request that some route serves (so not about
/// an OPTIONS), after its head and before its body is read. Belongs to the server's loop, outlives
/// the server, and must not block.
class Gate {
 public:
  virtual ~Gate() = default;
  /// Sets the request's tenant. `pattern` is that of its route.
  virtual Task<Passage> enter(Request& request, std::string_view pattern) = 0;
};

}  // namespace millrace::http
