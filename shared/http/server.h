#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "shared/http/router.h"
#include "shared/runtime/clock.h"
#include "shared/runtime/random.h"

namespace millrace::http {

/// How long a peer may take; a shorter set serves tests.
struct ServerTimes {
  Duration head = limits::header_timeout;          ///< from the first byte of a request
  Duration body_idle = limits::body_idle_timeout;  ///< between two pieces of a body
  Duration keep_alive = limits::keep_alive_idle;   ///< between two requests
  Duration stall = limits::reader_stall_max;       ///< one write of a response
};

struct ServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;    ///< 0: any free one; see `port()`
  std::string cors_origins;  ///< comma-separated, `*` for any, empty for none
  std::size_t connections_max = 20'000;
  ServerTimes times;
};

/// What a server counts; read from any thread.
struct ServerCounts {
  std::atomic<std::int64_t> connections{0};   ///< open now
  std::atomic<std::int64_t> streams{0};       ///< of these, streamed responses
  std::atomic<std::uint64_t> answered[6]{};   ///< by class of status: [2] is 2xx
  std::atomic<std::uint64_t> turned_away{0};  ///< above `connections_max`
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

  const ServerCounts& counts() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace millrace::http
