#pragma once
#include <array>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <optional>
#include <string>

#include "shared/http/request_head.h"
#include "shared/http/response_head.h"
#include "shared/http/server.h"

namespace millrace::http {

using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;

/// What the connections of one server share.
struct ServerContext {
  ServerContext(Clock& its_clock, Random& its_random, const Router& its_router,
                const ServerOptions& its_options, ServerCounts& its_counts)
      : clock(its_clock),
        random(its_random),
        router(its_router),
        options(its_options),
        counts(its_counts) {}

  Clock& clock;
  Random& random;
  const Router& router;
  const ServerOptions& options;
  ServerCounts& counts;
  bool draining = false;
  std::array<char, 64 * 1024> scratch{};  ///< what one receive brings, before it is kept

  /// The Date field, made once a second.
  std::string_view date();

 private:
  std::string date_;
  std::chrono::sys_seconds date_of_{};
};

class Stream;

/// One connection: reads requests, has them handled, writes the responses, one at a time.
/// Deadlines are kept as one time point that the server's sweep looks at, so a request costs no
/// timer.
class Connection {
 public:
  /// How long the body of a request is, and may be.
  struct BodyForm {
    std::uint64_t content_length = 0;
    bool chunked = false;
    bool expects_continue = false;
    std::size_t bytes_max = 0;
  };
  /// A streamed answer whose request has gone.
  struct StreamStart {
    Response response;
    HeadParts parts;
    std::string request_id;
  };

  Connection(ServerContext& context, Socket socket, std::string peer);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// Returns when the connection is closed.
  Task<> serve();

  /// Ends what has waited past its deadline.
  void sweep(Instant now);
  /// No further request; a stream is told.
  void drain();
  /// Ends at once.
  void abort();

 private:
  enum class Phase : std::uint8_t { idle, head, body, handling, writing, lingering };

  /// One request and its answer; false: the connection is over. A streamed answer is left in
  /// `stream`, to be run once everything of the request has gone.
  Task<bool> exchange(std::unique_ptr<StreamStart>& stream);
  Task<bool> read_more();
  Task<bool> read_head(std::size_t& head_bytes, std::optional<Problem>& problem);
  Task<bool> read_body(const BodyForm& form, std::string& body, std::optional<Problem>& problem);
  Task<Response> answer(Request& request, const Router::Match& match);
  Task<bool> send(std::string_view head, std::string_view body);
  Task<bool> respond(const Response& response, HeadParts parts, bool with_body);
  Task<bool> refuse(const Problem& problem, std::string_view request_id);
  Task<> run_stream(std::unique_ptr<StreamStart> start);
  Task<> linger();

  void set_deadline(Phase phase, Duration time);

  ServerContext& context_;
  Socket socket_;
  std::string peer_;
  std::string in_;  ///< bytes read and not yet used
  Phase phase_ = Phase::idle;
  Instant deadline_ = Instant::max();
  bool timed_out_ = false;
  Stream* stream_ = nullptr;  ///< while one runs
};

}  // namespace millrace::http
