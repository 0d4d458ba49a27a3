#pragma once
#include <optional>
#include <string>

#include "shared/http/wire.h"

namespace millrace::http {

/// The streamed response of one connection, as its handler sees it. Watches the peer all the
/// while, so that its leaving is heard of at once. Once opened it lives until `let_go` returns.
class Stream final : public StreamWriter {
 public:
  struct Start {
    std::string head;  ///< goes out with the first write, or in the loop's next turn without one
    StreamBody body;
    std::string request_id;
    std::optional<std::uint64_t> bytes;  ///< told in the head; then it is not chunked
    bool chunked = true;
    bool keep_alive = true;
  };

  Stream(Wire& wire, Start start);
  ~Stream() override;

  /// From here on the peer is watched and the head will be sent. The result is to be awaited.
  Task<> open();
  /// Ends the watch; until it returns the stream must live, so it must not be cancelled.
  Task<> let_go();
  /// Sends the last chunk, after `let_go`: what comes behind it is the next request. True when
  /// the connection can serve on.
  Task<bool> end();

  Task<Result<>> write(std::string_view bytes) override;
  bool closed() const override { return closed_; }
  Signal& wake() override { return wake_; }
  bool draining() const override { return wire_.context().draining; }

  const std::string& request_id() const { return start_.request_id; }

 private:
  void watch();
  void on_readable(const boost::system::error_code& error);
  void flush_head();
  void gone();

  Wire& wire_;
  Signal wake_;
  Start start_;  ///< of the head and of `bytes` what is still to be sent
  std::size_t ignored_bytes_ = 0;
  int callbacks_ = 0;  ///< that will still be called and look at this object
  bool writing_ = false;
  bool closed_ = false;
  bool letting_go_ = false;
};

}  // namespace millrace::http
