#pragma once
#include <memory>
#include <string>

#include "shared/http/message.h"
#include "tests/simulation/world.h"

namespace millrace::sim {

/// One request of a client to an edge, and its answer as it arrives: the two ends of one
/// connection. The bytes of a stream may be cut anywhere.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(World& world, Process& client, http::Request asked)
      : world_(world), news_(client.clock), request_(std::move(asked)) {}

  // --- the client's end
  /// Waits until `until` for more than what has been seen of it. False: nothing came.
  Task<bool> wait(Instant until);
  bool answered() const { return answered_; }
  bool ended() const { return ended_; }
  bool cut() const { return cut_; }  ///< the connection broke: there will be no more
  int status() const { return status_; }
  std::string take_bytes() { return std::exchange(received_, {}); }
  /// Closes the connection.
  void leave();
  /// Reads nothing until then; whoever writes has to wait.
  void stall_until(Instant when) { reads_at_ = when; }
  /// Breaks the connection after so many more bytes, wherever that is.
  void cut_after(std::size_t bytes) { bytes_left_ = bytes; }

  // --- the edge's end
  http::Request& request() { return request_; }
  void answer(int status, std::string body, bool streams);
  void send(std::string bytes);
  void end();
  /// As seen by the client, for the edge has died.
  void break_off();
  bool client_left() const { return left_; }
  Instant reads_at() const { return reads_at_; }
  /// Called when the client's leaving has reached the edge.
  void on_left(std::function<void()> hear) { heard_left_ = std::move(hear); }

 private:
  void arrive(std::function<void(Exchange&)> what);

  World& world_;
  Signal news_;
  http::Request request_;
  std::function<void()> heard_left_;
  Instant last_arrival_{};
  Instant reads_at_{};
  std::size_t bytes_left_ = std::string::npos;
  std::string received_;
  int status_ = 0;
  bool answered_ = false;
  bool ended_ = false;
  bool cut_ = false;
  bool left_ = false;
};

/// The StreamWriter of one exchange.
class ExchangeWriter final : public http::StreamWriter {
 public:
  ExchangeWriter(Process& edge, std::shared_ptr<Exchange> exchange);
  ~ExchangeWriter() override;

  Task<Result<>> write(std::string_view bytes) override;
  bool closed() const override { return closed_; }
  Signal& wake() override { return wake_; }
  bool draining() const override { return false; }

 private:
  Process& edge_;
  std::shared_ptr<Exchange> exchange_;
  Signal wake_;
  bool closed_ = false;
};

}  // namespace millrace::sim
