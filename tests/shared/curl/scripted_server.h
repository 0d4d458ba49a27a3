#pragma once
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <deque>
#include <string>
#include <vector>

#include "shared/runtime/loop_clock.h"
#include "shared/runtime/nursery.h"

namespace millrace {

/// What the server does with one request, once it has read all of it.
struct Script {
  struct Act {
    enum Kind { send, wait, hang, close, reset } kind = send;
    std::string bytes;
    Duration time{};
  };
  std::vector<Act> acts;
  bool keep_alive = false;  ///< wait for the next request on the same connection

  Script& send(std::string bytes) & {
    acts.push_back({Act::send, std::move(bytes), {}});
    return *this;
  }
  Script& wait(Duration time) & {
    acts.push_back({Act::wait, {}, time});
    return *this;
  }
  Script& hang() & {
    acts.push_back({Act::hang, {}, {}});
    return *this;
  }
  Script& reset() & {
    acts.push_back({Act::reset, {}, {}});
    return *this;
  }
};

/// A TCP server on a free loopback port of the test's own loop, which answers each request by the
/// next script, whatever it says.
class ScriptedServer {
  using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;

 public:
  explicit ScriptedServer(Clock& clock)
      : clock_(clock),
        acceptor_(clock.loop().get_executor(),
                  asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
        tasks_(clock) {
    tasks_.start(accept());
  }
  std::string url() const {
    return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
  }
  Task<> close() {
    tasks_.stop();
    co_await tasks_.join();
  }

  std::deque<Script> scripts;
  std::vector<std::string> requests;  ///< head and body of each
  int connections = 0;
  int closed_by_client = 0;  ///< while a script was still under way
  Instant last_close{};

 private:
  Task<> accept() {
    for (;;) {
      Socket socket = co_await acceptor_.async_accept(use_task);
      ++connections;
      tasks_.start(serve(std::move(socket)));
    }
  }

  Task<> serve(Socket socket) {
    std::string received;
    for (;;) {
      const bool read = co_await read_request(socket, received);
      if (!read) co_return;
      if (scripts.empty()) co_return;
      const Script script = std::move(scripts.front());
      scripts.pop_front();
      for (const Script::Act& act : script.acts) {
        const bool open = co_await perform(socket, act);
        if (!open) co_return;
      }
      if (!script.keep_alive) co_return;
    }
  }

  Task<bool> read_request(Socket& socket, std::string& received) {
    std::size_t whole = std::string::npos;
    for (;;) {
      const auto head = received.find("\r\n\r\n");
      if (head != std::string::npos) {
        std::size_t length = 0;
        const auto field = received.find("Content-Length: ");
        if (field < head) std::from_chars(&received[field + 16], &received[head], length);
        whole = head + 4 + length;
        if (received.size() >= whole) break;
      }
      std::array<char, 4096> bytes;
      boost::system::error_code failed;
      const std::size_t count = co_await socket.async_read_some(
          asio::buffer(bytes), asio::redirect_error(use_task, failed));
      if (failed == asio::error::operation_aborted) throw boost::system::system_error(failed);
      if (failed) co_return false;
      received.append(bytes.data(), count);
    }
    requests.push_back(received.substr(0, whole));
    received.erase(0, whole);
    co_return true;
  }

  /// False when the connection is over.
  Task<bool> perform(Socket& socket, const Script::Act& act) {
    boost::system::error_code failed;
    switch (act.kind) {
      case Script::Act::send:
        co_await asio::async_write(socket, asio::buffer(act.bytes),
                                   asio::redirect_error(use_task, failed));
        co_return !note_if_closed(failed);
      case Script::Act::wait:
        co_await clock_.sleep_for(act.time);
        co_return true;
      case Script::Act::hang: {
        std::array<char, 1> byte;
        co_await socket.async_read_some(asio::buffer(byte), asio::redirect_error(use_task, failed));
        note_if_closed(failed);
        co_return false;
      }
      case Script::Act::reset:
        socket.set_option(asio::socket_base::linger(true, 0));
        co_return false;
      default:
        co_return false;
    }
  }

  bool note_if_closed(boost::system::error_code failed) {
    if (!failed) return false;
    if (failed == asio::error::operation_aborted) throw boost::system::system_error(failed);
    ++closed_by_client;
    last_close = clock_.now();
    return true;
  }

  Clock& clock_;
  asio::basic_socket_acceptor<asio::ip::tcp, Executor> acceptor_;
  Nursery tasks_;
};

}  // namespace millrace
