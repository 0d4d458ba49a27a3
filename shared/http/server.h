#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "shared/http/gate.h"
#include "shared/http/router.h"
#include "shared/runtime/clock.h"
#include "shared/runtime/random.h"

namespace millrace::http {

/// How long a peer may take; shorter ones serve tests. Looked at by one sweep, so an end may come
/// late by an eighth of the shortest, at most a second.
struct ServerTimes {
  Duration head = limits::header_timeout;          ///< for a head, from its first byte
  Duration body_idle = limits::body_idle_timeout;  ///< between two pieces of a body
  Duration body_grace = 30s;                       ///< for a body as a whole, and beyond it …
  std::size_t body_bytes_per_s_min = 1024;         ///< … it must come so fast on average
  Duration keep_alive = limits::keep_alive_idle;   ///< between two requests
  Duration stall = limits::reader_stall_max;       ///< for one write of a response
  Duration linger = 2s;  ///< for the peer to close after the last answer of a connection
};

/// How an error that the server itself finds (404, 405, 4xx for framing and limits, 500, 503) is
/// told to the client of that (percent-encoded) path, which is empty where none was read.
using TellProblem = std::function<Response(const Problem&, std::string_view path)>;

struct ServerOptions {
  std::string host = "127.0.0.1";        ///< an address, or `localhost`
  std::uint16_t port = 0;                ///< 0: any free one; see `port()`
  std::string cors_origins;              ///< comma-separated, `*` for any, empty for none
  std::size_t connections_max = 20'000;  ///< above: 503 and close
  std::size_t held_body_bytes_max = 256 * 1024 * 1024;  ///< of all requests at once: 503
  ServerTimes times;
  TellProblem tell_problem;  ///< unset: `to_response`
  Gate* gate = nullptr;      ///< null: everybody is the default tenant and may all
};

/// What a server counts; read from any thread.
struct ServerCounts {
  std::atomic<std::int64_t> connections{0};              ///< open now
  std::atomic<std::int64_t> streams{0};                  ///< of these, streamed responses
  std::array<std::atomic<std::uint64_t>, 6> answered{};  ///< by class of status: [2] is 2xx
  std::atomic<std::uint64_t> turned_away{0};             ///< above `connections_max`
  std::atomic<std::uint64_t> bytes_in{0};
  std::atomic<std::uint64_t> bytes_out{0};
};

/// Throws std::system_error with the address when anybody listens there; a port of 0 is always
/// free. For whoever is about to listen, once a process: the loops of a process share their port,
/// and so could, unnoticed, those of another process of the same user.
void require_free(const std::string& host, std::uint16_t port);

/// HTTP/1.1 on one loop: several may listen on one port (SO_REUSEPORT), one a thread; see
/// `require_free`. Promises the manners of the design's §5 to every route: request ids, time-outs,
/// limits, framing that is refused when ambiguous, HEAD, OPTIONS, 405 with Allow, errors as
/// problem+json.
class Server {
 public:
  /// What is passed by reference outlives the server.
  Server(Clock& clock, Random& random, const Router& router, ServerOptions options);
  ~Server();

  /// Binds; throws std::system_error with the address when it is taken.
  void listen();
  std::uint16_t port() const;
  /// Serves until `drain`; returns when the last connection has ended (at most `grace` later).
  /// Runs at most once, after `listen`; the server is destroyed after it has returned.
  Task<> run();
  /// Stops accepting, so that another process can take the port over; idle connections are
  /// closed, running requests answered with `Connection: close`, streams woken up. What is left
  /// after `grace` is cut. On the server's loop; the second call is a no-op.
  void drain(Duration grace);

  const ServerCounts& counts() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace millrace::http
