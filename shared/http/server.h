#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "shared/http/router.h"
#include "shared/runtime/clock.h"
#include "shared/runtime/random.h"

namespace millrace::http {

struct ServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;    ///< 0: any free one; see `port()`
  std::string cors_origins;  ///< comma-separated, `*` for any, empty for none
  std::size_t connections_max = 20'000;
};

/// HTTP/1.1 on one loop: several may listen on one port (SO_REUSEPORT), one a thread. Promises
/// the manners of the design's §5 to every route: request ids, time-outs, limits, framing that
/// is refused when ambiguous, HEAD, OPTIONS, 405 with Allow, errors as problem+json.
class Server {
 public:
  Server(Clock& clock, Random& random, const Router& router, ServerOptions options);
  ~Server();

  /// Binds; throws std::system_error with the address when it is taken.
  void listen();
  std::uint16_t port() const;
  /// Serves until `drain`; returns when the last connection has ended (at most `grace` later).
  Task<> run();
  /// Stops accepting, lets running requests end, ends streams at their next wake-up.
  void drain(Duration grace);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace millrace::http
