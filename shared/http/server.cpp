#include "shared/http/server.h"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <list>
#include <optional>
#include <system_error>

#include "shared/http/connection.h"
#include "shared/runtime/log.h"
#include "shared/runtime/nursery.h"

namespace millrace::http {
namespace {

using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr int backlog = 4096;
constexpr Duration sweep_every = 250ms;
constexpr Duration no_descriptor_wait = 100ms;

constexpr std::string_view turned_away =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n"
    "Content-Length: 0\r\n\r\n";

[[noreturn]] void fail(const ServerOptions& options, const boost::system::error_code& error) {
  throw std::system_error(std::error_code(error.value(), std::system_category()),
                          "cannot listen on " + options.host + ":" + std::to_string(options.port));
}

}  // namespace

class Server::State {
 public:
  State(Clock& clock, Random& random, const Router& router, ServerOptions options)
      : options_(std::move(options)),
        context_(clock, random, router, options_, counts_),
        acceptor_(clock.loop()),
        nursery_(clock),
        changed_(clock) {}

  void listen() {
    boost::system::error_code error;
    const auto address = asio::ip::make_address(options_.host, error);
    if (error) fail(options_, error);
    const asio::ip::tcp::endpoint at(address, options_.port);
    acceptor_.open(at.protocol(), error);
    if (!error) acceptor_.set_option(Acceptor::reuse_address(true), error);
    if (!error) acceptor_.set_option(ReusePort(true), error);
    if (!error) acceptor_.bind(at, error);
    if (!error) acceptor_.listen(backlog, error);
    if (!error) acceptor_.non_blocking(true, error);
    if (error) fail(options_, error);
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  const ServerCounts& counts() const { return counts_; }

  Task<> run() {
    nursery_.start(accept_all());
    nursery_.start(sweep_all());
    while (!context_.draining) co_await changed_.wait();
    while (!connections_.empty() && context_.clock.now() < grace_end_)
      co_await changed_.wait_until(grace_end_);
    for (auto& connection : connections_) connection.abort();
    over_ = true;
    nursery_.stop();
    co_await nursery_.join();
  }

  void drain(Duration grace) {
    if (context_.draining) return;
    context_.draining = true;
    grace_end_ = context_.clock.now() + grace;
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    for (auto& connection : connections_) connection.drain();
    changed_.notify();
  }

 private:
  using Connections = std::list<Connection>;

  Task<> accept_all() {
    while (!context_.draining) {
      boost::system::error_code error;
      Socket socket(context_.clock.loop());
      asio::ip::tcp::endpoint peer;
      co_await acceptor_.async_accept(socket, peer, asio::redirect_error(use_task, error));
      if (error == asio::error::operation_aborted || !acceptor_.is_open()) co_return;
      if (error) {  // no descriptor left, or the peer was gone already
        log::warn("accept_failed", {{"error", error.message()}});
        co_await context_.clock.sleep_for(no_descriptor_wait);
      } else {
        take(std::move(socket), peer);
      }
    }
  }

  void take(Socket socket, const asio::ip::tcp::endpoint& peer) {
    if (connections_.size() >= options_.connections_max) {
      counts_.turned_away.fetch_add(1, std::memory_order_relaxed);
      boost::system::error_code ignored;
      socket.non_blocking(true, ignored);
      socket.write_some(asio::buffer(turned_away), ignored);
      return;
    }
    connections_.emplace_front(context_, std::move(socket), peer.address().to_string());
    nursery_.start(serve(connections_.begin()));
  }

  Task<> serve(Connections::iterator at) {
    try {
      co_await at->serve();
    } catch (const std::exception& error) {
      if (!over_) log::error("connection_failed", {{"error", error.what()}});
    }
    connections_.erase(at);
    if (context_.draining) changed_.notify();
  }

  Task<> sweep_all() {
    for (;;) {
      co_await context_.clock.sleep_for(sweep_every);
      const Instant now = context_.clock.now();
      for (auto at = connections_.begin(); at != connections_.end();) (at++)->sweep(now);
    }
  }

  const ServerOptions options_;
  ServerCounts counts_;
  ServerContext context_;
  Acceptor acceptor_;
  Connections connections_;
  Nursery nursery_;
  Signal changed_;
  Instant grace_end_ = Instant::max();
  bool over_ = false;
};

Server::Server(Clock& clock, Random& random, const Router& router, ServerOptions options)
    : state_(std::make_unique<State>(clock, random, router, std::move(options))) {}
Server::~Server() = default;
void Server::listen() {
  state_->listen();
}
std::uint16_t Server::port() const {
  return state_->port();
}
Task<> Server::run() {
  return state_->run();
}
void Server::drain(Duration grace) {
  state_->drain(grace);
}
const ServerCounts& Server::counts() const {
  return state_->counts();
}

}  // namespace millrace::http
