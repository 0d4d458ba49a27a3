#pragma once
#include <array>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <string>
#include <string_view>

#include "shared/http/server_context.h"

namespace millrace::http {

using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
/// What one gathered send takes.
using Buffers = std::array<asio::const_buffer, 4>;

/// Clears it for good: assigning an empty string keeps the memory.
inline void free_memory(std::string& text) {
  std::string().swap(text);
}

/// One accepted socket, its unread bytes and its deadline. The deadline is a time point the
/// server's sweep looks at, so that waiting costs no timer. At most one wait to read and one to
/// write at a time.
class Wire {
 public:
  Wire(ServerContext& context, Socket socket);
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  ~Wire();

  /// What has been read and not been taken; void after `read_more`.
  std::string_view unread() const { return std::string_view(read_).substr(taken_); }
  void take(std::size_t bytes);
  /// Gives the memory of the read bytes back.
  void forget_unread();

  /// Waits for more bytes, until `deadline`. Errors: `closed` (the peer has gone), `timed_out`,
  /// `cancelled` (by `cancel_waits`).
  Task<Result<>> read_more(Instant deadline);

  /// Sends what the socket takes at once and drops that from `parts`; true when nothing is left.
  Result<bool> push(Buffers& parts);
  /// Sends all of it, or fails with `closed`, or `timed_out` when the peer does not read for
  /// `ServerTimes::stall`.
  Task<Result<>> send(Buffers parts);
  /// Waits, for as long as one write may stall, until `push` can go on.
  Task<Result<>> until_writable();

  /// Ends what is waited for when its deadline has passed.
  void sweep(Instant now);
  /// Ends what is waited for on the socket, whoever waits.
  void cancel_waits();

  /// Says that nothing more will be sent.
  void shut_down();

  Socket& socket() { return socket_; }
  ServerContext& context() { return context_; }

 private:
  Failure ended(const boost::system::error_code& error);

  ServerContext& context_;
  Socket socket_;
  std::string read_;
  std::size_t taken_ = 0;
  Instant deadline_ = Instant::max();
  bool late_ = false;
};

}  // namespace millrace::http
