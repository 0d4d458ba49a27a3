#include "shared/http/server.h"

#include <algorithm>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <system_error>

#include "shared/http/connection.h"
#include "shared/runtime/log.h"
#include "shared/runtime/nursery.h"

namespace millrace::http {
namespace {

using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr int backlog = 4096;
constexpr Duration accept_retry_wait = 100ms;
/// So many connections above the limit are told so at once; the others are closed unheard.
constexpr std::size_t turned_away_max = 256;

[[noreturn]] void fail(const std::string& host, std::uint16_t port,
                       const boost::system::error_code& error) {
  throw std::system_error(std::error_code(error.value(), std::system_category()),
                          "cannot listen on " + host + ":" + std::to_string(port) +
                              "; choose another address or port, or stop who listens there");
}

asio::ip::tcp::endpoint endpoint_of(const std::string& host, std::uint16_t port) {
  boost::system::error_code error;
  const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
  if (error) fail(host, port, error);
  return {address, port};
}

/// Often enough that no time-out comes late by more than an eighth.
Duration sweep_wait(const ServerTimes& times) {
  const Duration shortest = std::min({times.head, times.body_idle, times.keep_alive, times.stall});
  return std::clamp<Duration>(shortest / 8, 1ms, 1s);
}

}  // namespace

void require_free(const std::string& host, std::uint16_t port) {
  const auto at = endpoint_of(host, port);
  asio::io_context nobody;
  Acceptor probe(nobody.get_executor());
  boost::system::error_code error;
  probe.open(at.protocol(), error);
  if (!error) probe.set_option(Acceptor::reuse_address(true), error);
  if (!error) probe.bind(at, error);
  if (error) fail(host, port, error);
}

std::string_view ServerContext::date() {
  const auto now = std::chrono::floor<std::chrono::seconds>(clock.wall());
  if (date_.empty() || now != date_of_) {
    date_of_ = now;
    date_ = http_date(now);
  }
  return date_;
}

class Server::State {
 public:
  State(Clock& clock, Random& random, const Router& router, ServerOptions options)
      : options_(std::move(options)),
        context_(clock, random, router, options_),
        acceptor_(clock.loop()),
        connections_(clock),
        nursery_(clock) {}

  void listen();
  std::uint16_t port() const { return port_; }
  const ServerCounts& counts() const { return context_.counts; }

  Task<> run() {
    nursery_.start(accept_all());
    nursery_.start(watch_over_all());
    co_await nursery_.join();
  }
  void drain(Duration grace);

 private:
  Task<> accept_all();
  void accept_waiting();
  void take(Socket socket, const asio::ip::tcp::endpoint& peer);
  Task<> watch_over_all();

  const ServerOptions options_;
  ServerContext context_;
  Acceptor acceptor_;
  std::uint16_t port_ = 0;
  Connections connections_;
  Nursery nursery_;
  Instant grace_end_ = Instant::max();
};

void Server::State::listen() {
  const auto at = endpoint_of(options_.host, options_.port);
  boost::system::error_code error;
  acceptor_.open(at.protocol(), error);
  if (!error) acceptor_.set_option(Acceptor::reuse_address(true), error);
  if (!error) acceptor_.set_option(ReusePort(true), error);
  if (!error) acceptor_.bind(at, error);
  if (!error) acceptor_.listen(backlog, error);
  if (!error) acceptor_.non_blocking(true, error);
  if (error) fail(options_.host, options_.port, error);
  port_ = acceptor_.local_endpoint().port();
}

Task<> Server::State::accept_all() {
  bool failing = false;
  while (!context_.draining) {
    boost::system::error_code error;
    Socket socket(context_.clock.loop());
    asio::ip::tcp::endpoint peer;
    co_await acceptor_.async_accept(socket, peer, asio::redirect_error(use_task, error));
    if (!error) take(std::move(socket), peer);
    if (context_.draining || error == asio::error::operation_aborted) break;
    if (error && !failing) log::warn("accept_failed", {{"error", error.message()}});
    failing = static_cast<bool>(error);
    // No descriptor or memory left: they come back as connections end, not by asking at once.
    if (failing) co_await context_.clock.sleep_for(accept_retry_wait);
  }
}

// Closing the listener would reset those who have connected and wait for their turn.
void Server::State::accept_waiting() {
  for (;;) {
    boost::system::error_code error;
    Socket socket(context_.clock.loop());
    asio::ip::tcp::endpoint peer;
    acceptor_.accept(socket, peer, error);
    if (error) return;
    take(std::move(socket), peer);
  }
}

void Server::State::take(Socket socket, const asio::ip::tcp::endpoint& peer) {
  const bool turned_away = connections_.open.size() >= options_.connections_max;
  if (turned_away) context_.counts.turned_away.fetch_add(1, std::memory_order_relaxed);
  if (connections_.open.size() >= options_.connections_max + turned_away_max) return;
  auto& connection = connections_.open.emplace_front(context_, connections_, std::move(socket),
                                                     peer.address().to_string());
  const auto place = connections_.open.begin();
  nursery_.start(turned_away ? connection.turn_away(place) : connection.serve(place));
}

Task<> Server::State::watch_over_all() {
  // However this ends, connections that are between two waits must see that they end.
  const struct Ending {
    ServerContext& context;
    ~Ending() { context.draining = context.over = true; }
  } ending{context_};
  const Duration wait = sweep_wait(options_.times);
  while (!context_.draining || !connections_.open.empty()) {
    const Instant now = context_.clock.now();
    if (now >= grace_end_) break;
    for (auto& connection : connections_.open) connection.sweep(now);
    co_await connections_.changed.wait_until(std::min(now + wait, grace_end_));
  }
  nursery_.stop();
}

void Server::State::drain(Duration grace) {
  if (context_.draining) return;
  context_.draining = true;
  grace_end_ = context_.clock.now() + grace;
  boost::system::error_code ignored;
  accept_waiting();
  acceptor_.close(ignored);
  for (auto& connection : connections_.open) connection.drain();
  connections_.changed.notify();
}

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
