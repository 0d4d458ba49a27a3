#pragma once
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "shared/http/request_head.h"
#include "shared/http/response_head.h"
#include "shared/http/stream.h"
#include "shared/http/wire.h"

namespace millrace::http {

class Connection;

/// The connections of one server.
struct Connections {
  explicit Connections(Clock& clock) : changed(clock) {}

  std::list<Connection> open;
  Signal changed;  ///< one has ended while the server drains
};

/// One connection: reads requests, has them handled, writes the answers, one at a time and in
/// their order.
class Connection {
 public:
  Connection(ServerContext& context, Connections& all, Socket socket, std::string peer);

  /// Takes the connection out of the list, and so destroys it, before it returns. `place` is its
  /// own. Whatever goes wrong is logged and ends this connection only.
  Task<> serve(std::list<Connection>::iterator place);
  /// The same for one above the limit: a 503 and the end.
  Task<> turn_away(std::list<Connection>::iterator place);

  /// Ends what has waited past its deadline.
  void sweep(Instant now) { wire_.sweep(now); }
  /// The server takes no further requests: ends an idle connection, tells a stream.
  void drain();

 private:
  struct Exchange;
  struct Leaving;
  /// What follows an exchange.
  enum class Then : std::uint8_t {
    next,    ///< the next request
    linger,  ///< nothing, but the peer may still be sending: the answer must reach it
    close,   ///< nothing, and nobody is there
  };

  /// One request and its answer. A streamed answer is put in `stream`, to be run once everything
  /// of the request has gone.
  Task<Then> exchange(std::unique_ptr<Stream>& stream);
  /// Reads the request with its body, or as much as it takes to refuse it: then `now.problem`
  /// says why. False when the peer has gone.
  Task<bool> receive(Exchange& now);
  /// How long the next head is; nothing when it is refused or does not come.
  Task<std::optional<std::size_t>> read_head(std::optional<Problem>& problem);
  /// False when the peer has gone.
  Task<bool> read_body(Exchange& now);
  Task<> handle(Exchange& now);
  Task<Then> answer(Exchange& now);
  Task<> linger();

  void begin(Exchange& now, const RequestHead& head);
  void refuse(Exchange& now, const Problem& problem);
  std::unique_ptr<Stream> streamed(Exchange& now);
  static HeadParts::Body framing_of_stream(const Exchange& now);
  std::string head_of(const Exchange& now, HeadParts::Body body);

  ServerContext& context_;
  Connections& all_;
  Wire wire_;
  const std::string peer_;
  Stream* stream_ = nullptr;  ///< while one runs
  bool idle_ = false;         ///< waits for the first byte of a request
  bool first_ = true;         ///< no request has come yet
};

}  // namespace millrace::http
