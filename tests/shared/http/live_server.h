#pragma once
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <charconv>
#include <exception>
#include <functional>
#include <map>
#include <string>
#include <thread>

#include "shared/http/server.h"
#include "shared/runtime/loop_clock.h"

namespace millrace::http::test {

/// A server on a free loopback port with a loop and a thread of its own.
class LiveServer {
 public:
  explicit LiveServer(const Router& router, ServerOptions options = {})
      : server_(clock_, random_, router, std::move(options)) {
    server_.listen();
    port_ = server_.port();
    asio::co_spawn(loop_, server_.run(), [this](std::exception_ptr failure) {
      failure_ = failure;
      loop_.stop();  // its clock may still be set
    });
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~LiveServer() {
    drain(0ms);
    wait_end();
  }
  LiveServer(const LiveServer&) = delete;
  LiveServer& operator=(const LiveServer&) = delete;

  std::uint16_t port() const { return port_; }
  const ServerCounts& counts() const { return server_.counts(); }
  Clock& clock() { return clock_; }
  /// Runs it on the server's loop.
  void post(std::function<void()> what) { asio::post(loop_, std::move(what)); }
  void drain(Duration grace) {
    post([this, grace] { server_.drain(grace); });
  }
  /// Returns once `run` has.
  void wait_end() {
    if (thread_.joinable()) thread_.join();
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

 private:
  asio::io_context loop_{1};
  LoopClock clock_{loop_};
  SystemRandom random_;
  Server server_;
  std::uint16_t port_ = 0;
  std::exception_ptr failure_;
  std::thread thread_;
};

struct Answer {
  int status = 0;                                  ///< 0: the connection ended before an answer
  std::multimap<std::string, std::string> fields;  ///< names in lower case
  std::string head;
  std::string body;
  bool whole = false;  ///< the body ended as its framing says

  std::string field(const std::string& name) const {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string() : found->second;
  }
};

/// A client that says exactly what it is told to. Waits at most ten seconds for anything.
class Peer {
 public:
  enum class Reads { normally, into_little_room };

  explicit Peer(std::uint16_t port, Reads reads = Reads::normally)
      : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const int room = 4096;
    if (reads == Reads::into_little_room)
      ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
  }
  Peer(Peer&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), in_(std::move(other.in_)) {}
  ~Peer() { close(); }

  /// False when the server has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }
  /// Closes so that the server hears a reset.
  void reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }
  /// Reads on until `bytes` have been read; empty when the connection ended before.
  std::string read_until(std::string_view bytes) {
    for (;;) {
      const auto at = in_.find(bytes);
      if (at != in_.npos) return take(at + bytes.size());
      if (!receive()) return {};
    }
  }
  /// One answer; informational ones are left in `informed`.
  Answer read(bool to_head = false) {
    for (;;) {
      Answer answer;
      answer.head = read_until("\r\n\r\n");
      if (answer.head.empty()) return answer;
      parse_head(answer);
      if (answer.status / 100 == 1) {
        informed.push_back(answer.status);
        continue;
      }
      if (to_head || answer.status == 204 || answer.status == 304)
        answer.whole = true;
      else
        read_body(answer);
      return answer;
    }
  }
  Answer ask(std::string_view bytes, bool to_head = false) {
    send(bytes);
    return read(to_head);
  }
  /// Reads to the end; true when the server ended it in order, with nothing more said.
  bool ended() {
    while (receive()) {
    }
    return in_.empty() && !timed_out_;
  }
  std::string read_rest() {
    while (receive()) {
    }
    return take(in_.size());
  }
  /// True when nothing has come.
  bool silent() const {
    pollfd waiting{.fd = socket_, .events = POLLIN, .revents = 0};
    return in_.empty() && ::poll(&waiting, 1, 0) == 0;
  }

  std::vector<int> informed;

 private:
  std::string take(std::size_t bytes) {
    std::string taken = in_.substr(0, bytes);
    in_.erase(0, bytes);
    return taken;
  }
  bool receive() {
    char bytes[16 * 1024];
    const auto got = ::recv(socket_, bytes, sizeof bytes, 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      timed_out_ = true;
      ADD_FAILURE() << "the server said nothing for ten seconds";
    }
    if (got <= 0) return false;
    in_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }
  static void parse_head(Answer& answer) {
    const std::string& head = answer.head;
    EXPECT_TRUE(head.starts_with("HTTP/1.")) << head;
    std::from_chars(head.data() + 9, head.data() + 12, answer.status);
    auto at = head.find("\r\n") + 2;
    for (auto end = head.find("\r\n", at); end > at; at = end + 2, end = head.find("\r\n", at)) {
      const auto line = head.substr(at, end - at);
      const auto colon = line.find(": ");
      if (colon == line.npos) {
        ADD_FAILURE() << "not a field: " << line;
        continue;
      }
      std::string name = line.substr(0, colon);
      for (char& c : name)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
      answer.fields.emplace(name, line.substr(colon + 2));
    }
  }
  void read_body(Answer& answer) {
    if (answer.field("transfer-encoding") == "chunked") return read_chunks(answer);
    const auto length = answer.field("content-length");
    if (length.empty()) {
      answer.body = read_rest();
      answer.whole = true;
      return;
    }
    const std::size_t bytes = std::stoul(length);
    while (in_.size() < bytes && receive()) {
    }
    answer.whole = in_.size() >= bytes;
    answer.body = take(std::min(bytes, in_.size()));
  }
  void read_chunks(Answer& answer) {
    for (;;) {
      const auto size_line = read_until("\r\n");
      if (size_line.empty()) return;
      const std::size_t bytes = std::stoul(size_line, nullptr, 16);
      while (in_.size() < bytes + 2 && receive()) {
      }
      if (in_.size() < bytes + 2) return;
      answer.body += take(bytes);
      EXPECT_EQ(take(2), "\r\n");
      if (bytes == 0) {
        answer.whole = true;
        return;
      }
    }
  }

  int socket_;
  std::string in_;
  bool timed_out_ = false;
};

inline std::string get(const std::string& path, const std::string& fields = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}
inline std::string post(const std::string& path, const std::string& body,
                        const std::string& fields = "") {
  return "POST " + path + " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + fields + "\r\n" + body;
}

/// Spins until `holds`, at most ten seconds.
template <class Holds>
bool soon(Holds holds) {
  for (int i = 0; i < 5000; ++i) {
    if (holds()) return true;
    ::usleep(2000);
  }
  return false;
}

}  // namespace millrace::http::test
