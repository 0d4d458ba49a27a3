#pragma once
#include <array>
#include <string>

#include "shared/http/cors.h"
#include "shared/http/server.h"

namespace millrace::http {

/// What the connections of one server share. Belongs to its loop.
class ServerContext {
 public:
  ServerContext(Clock& its_clock, Random& its_random, const Router& its_router,
                const ServerOptions& its_options)
      : clock(its_clock),
        random(its_random),
        router(its_router),
        options(its_options),
        cors(its_options.cors_origins) {}

  Clock& clock;
  Random& random;
  const Router& router;
  const ServerOptions& options;
  const CorsPolicy cors;
  ServerCounts counts;
  bool draining = false;            ///< no new connections, no further requests
  bool over = false;                ///< the grace has ended, nobody looks at deadlines any more
  std::size_t held_body_bytes = 0;  ///< of the requests that are being read or handled
  std::array<char, 64 * 1024> scratch{};  ///< what one receive brings, before it is kept

  /// The Date field, made once a second; valid until the next call.
  std::string_view date();
  Response tell(const Problem& problem, std::string_view path) const {
    return options.tell_problem ? options.tell_problem(problem, path) : to_response(problem);
  }
  void count_answer(int status) {
    counts.answered[static_cast<std::size_t>(status / 100) % counts.answered.size()].fetch_add(
        1, std::memory_order_relaxed);
  }

 private:
  std::string date_;
  std::chrono::sys_seconds date_of_{};
};

}  // namespace millrace::http
