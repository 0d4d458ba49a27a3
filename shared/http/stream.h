#pragma once
#include <string>

#include "shared/http/connection.h"

namespace millrace::http {

/// The streamed response of one connection, as its handler sees it. Watches the peer while
/// nothing is written: it hears of its leaving at once.
class Stream final : public StreamWriter {
 public:
  Stream(ServerContext& context, Socket& socket, bool chunked);
  ~Stream() override;

  Task<Result<>> write(std::string_view bytes) override;
  bool closed() const override { return closed_; }
  Signal& wake() override { return wake_; }
  bool draining() const override { return context_.draining; }

  /// Sends bytes as they are (the head, the last chunk); within the stall time.
  Task<Result<>> send(std::array<asio::const_buffer, 3> parts);
  /// Begins to watch the peer; to be ended by `unwatch` before the stream goes.
  void watch();
  Task<> unwatch();

  bool stalled(Instant now) const { return now > stall_at_; }
  /// Ends the write that is under way, or the wait for the peer.
  void cut(Errc why);

 private:
  void on_readable(boost::system::error_code error);
  Task<Result<>> wait_writable();

  ServerContext& context_;
  Socket& socket_;
  Signal wake_;
  Signal unwatched_;
  Instant stall_at_ = Instant::max();
  std::size_t ignored_bytes_ = 0;
  std::optional<Errc> cut_;
  bool chunked_;
  bool closed_ = false;
  bool watching_ = false;
  bool unwatching_ = false;
};

}  // namespace millrace::http
