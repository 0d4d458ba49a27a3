#pragma once
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "shared/redis/address.h"
#include "shared/redis/command_buffer.h"
#include "shared/redis/reply.h"
#include "shared/runtime/clock.h"
#include "shared/runtime/error.h"
#include "shared/runtime/nursery.h"
#include "shared/runtime/signal.h"

struct redisReader;

namespace millrace::redis {

using Replies = std::vector<Reply>;

/// One pipelined connection, kept up by `run`: it connects, greets (AUTH, SELECT), reconnects
/// with backoff, and takes a server that does not answer in time for gone, which is the only way
/// to notice one that was stopped. What is sent in one turn of the loop leaves in one write.
/// The socket is ours, hiredis parses the replies: its own asynchronous context hides pings on a
/// subscribed connection and calls back from inside its destruction.
class Connection {
 public:
  struct Hooks {
    /// Runs after the greeting, before `ready`; may use `exchange`. An error reconnects.
    std::function<Task<Result<>>(Connection&)> on_connected;
    /// Takes every reply but errors: for a connection that only listens, where `call` is not used.
    std::function<void(ReplyView)> on_push;
    /// The connection was ready and has gone.
    std::function<void()> on_lost;
  };
  Connection(Clock& clock, Address address, Duration command_timeout, Hooks hooks);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Keeps the connection until cancelled.
  Task<> run();

  /// When a call that begins now must have its answer, however many commands it takes.
  Instant deadline() const { return clock_.now() + command_timeout_; }
  /// The replies to all commands, in order. `unavailable`: not connected or no time is left,
  /// nothing was sent; `timed_out`: sent, and the answers did not come, which also ends the
  /// connection. The commands need not outlive the call.
  Task<Result<Replies>> call(const CommandBuffer& commands, Instant by);
  /// Sends, and awaits no answer; nothing is sent while not connected.
  void tell(const CommandBuffer& commands);
  /// `call` for `on_connected`.
  Task<Result<Replies>> exchange(const CommandBuffer& commands, Instant by);

  bool ready() const { return ready_; }

 private:
  using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
  using Waiter = asio::any_completion_handler<void(boost::system::error_code)>;
  struct Call {
    Replies replies;
    std::size_t commands = 0;
    Waiter waiter;  ///< empty once told, or when its coroutine was cancelled
  };
  struct Expected {
    std::shared_ptr<Call> call;  ///< null: nobody awaits this reply
    Instant deadline;
  };
  struct ReaderFree {
    void operator()(redisReader* reader) const noexcept;
  };

  Task<> live_once();
  Task<bool> connect();
  Task<> dial(Nursery& attempt, bool& connected);
  Task<> hang_up_at(Instant when);
  Task<> greet();
  Task<Result<>> introduce();
  Task<> read_all();
  Task<> write_all();
  Task<> look_after();
  Instant earliest_deadline() const;
  void take_replies();
  void deliver(Reply reply);
  void send(const CommandBuffer& commands, std::shared_ptr<Call> call, Instant by);
  void tell_waiter(Call& call, boost::system::error_code result);
  void fail_pending();

  Clock& clock_;
  Address address_;
  Duration command_timeout_;
  Hooks hooks_;
  Socket socket_;
  std::unique_ptr<redisReader, ReaderFree> reader_;  ///< there while a connection stands
  std::deque<Expected> expected_;                    ///< in the order the replies will come
  std::string out_;
  std::string writing_;
  Signal to_write_;
  Signal to_look_;
  Instant next_look_{};
  Instant last_read_{};
  bool ready_ = false;
  bool said_away_ = false;
};

}  // namespace millrace::redis
