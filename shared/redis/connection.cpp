#include "shared/redis/connection.h"

#include <hiredis/hiredis.h>

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

#include "shared/runtime/limits.h"
#include "shared/runtime/log.h"
#include "shared/runtime/nursery.h"

namespace millrace::redis {
namespace {

constexpr Duration reconnect_first = 20ms;
constexpr Duration reconnect_max = 500ms;
constexpr Duration look_every = 200ms;
/// A quiet connection is asked whether it still stands.
constexpr Duration ping_after = 1s;
constexpr Duration silent_max = limits::log_command_timeout + ping_after;

/// Ends everything that runs on one connection; caught where it was opened.
struct Broken : std::exception {
  const char* what() const noexcept override { return "the connection to Redis broke"; }
};

}  // namespace

void Connection::ReaderFree::operator()(redisReader* reader) const noexcept {
  redisReaderFree(reader);
}

Connection::Connection(Clock& clock, Address address, Hooks hooks)
    : clock_(clock),
      address_(std::move(address)),
      hooks_(std::move(hooks)),
      socket_(clock.loop()),
      to_write_(clock) {}

Connection::~Connection() = default;

Task<> Connection::run() {
  Duration wait = reconnect_first;
  for (;;) {
    const Instant began = clock_.now();
    co_await live_once();
    const bool lasted = clock_.now() - began > reconnect_max;
    wait = lasted ? reconnect_first : std::min(2 * wait, Duration(reconnect_max));
    co_await clock_.sleep_for(wait);
  }
}

Task<> Connection::live_once() {
  struct Closed {  // however the connection ends, its callers hear of it
    Connection& self;
    ~Closed() {
      boost::system::error_code ignored;
      self.socket_.close(ignored);
      const bool was_ready = std::exchange(self.ready_, false);
      self.fail_pending();
      if (was_ready && self.hooks_.on_lost) self.hooks_.on_lost();
    }
  } closed{*this};
  const bool connected = co_await connect();
  if (!connected) {
    if (!std::exchange(said_away_, true))
      log::warn("redis_unreachable", {{"redis", address_.shown()}});
    co_return;
  }
  reader_.reset(redisReaderCreate());
  out_.clear();
  last_read_ = clock_.now();
  Nursery nursery(clock_);
  nursery.start(read_all());
  nursery.start(write_all());
  nursery.start(look_after());
  nursery.start(greet());
  try {
    co_await nursery.join();
  } catch (const Broken&) {
    if (!std::exchange(said_away_, true)) log::warn("redis_lost", {{"redis", address_.shown()}});
  }
}

/// Closes the socket when connecting takes too long: a stopped host does not refuse.
Task<bool> Connection::connect() {
  boost::system::error_code error;
  asio::ip::tcp::endpoint at;
  const auto numeric = asio::ip::make_address(address_.host, error);
  if (error) {
    asio::ip::basic_resolver<asio::ip::tcp, Executor> resolver(clock_.loop());
    const auto found = co_await resolver.async_resolve(address_.host, std::to_string(address_.port),
                                                       asio::redirect_error(use_task, error));
    if (error || found.empty()) co_return false;
    at = found.begin()->endpoint();
  } else {
    at = {numeric, address_.port};
  }
  Clock::TimerId timer;
  bool over = false;
  clock_.async_wait(clock_.now() + limits::log_command_timeout, &timer,
                    [this, &over](boost::system::error_code ended) {
                      boost::system::error_code ignored;
                      if (!ended && !over) socket_.close(ignored);
                    });
  co_await socket_.async_connect(at, asio::redirect_error(use_task, error));
  over = true;
  clock_.finish(timer, asio::error::operation_aborted);
  // The timer's handler still looks at `over`; it runs before this does again.
  co_await asio::post(clock_.loop(), use_task);
  if (error) co_return false;
  socket_.non_blocking(true, error);
  socket_.set_option(asio::ip::tcp::no_delay(true), error);
  co_return true;
}

Task<> Connection::greet() {
  const auto introduced = co_await introduce();
  if (!introduced) throw Broken();
  if (hooks_.on_connected) {
    const auto done = co_await hooks_.on_connected(*this);
    if (!done) throw Broken();
  }
  ready_ = true;
  if (std::exchange(said_away_, false)) log::info("redis_back", {{"redis", address_.shown()}});
}

Task<Result<>> Connection::introduce() {
  if (hooks_.on_push) {  // its replies come by on_push; a refusal shows in what follows
    CommandBuffer greeting;
    if (!address_.password.empty() && address_.user.empty())
      greeting.command({"AUTH", address_.password});
    if (!address_.password.empty() && !address_.user.empty())
      greeting.command({"AUTH", address_.user, address_.password});
    if (greeting.count() > 0) tell(greeting);
    co_return Result<>{};
  }
  CommandBuffer greeting;
  if (!address_.password.empty() && address_.user.empty())
    greeting.command({"AUTH", address_.password});
  if (!address_.password.empty() && !address_.user.empty())
    greeting.command({"AUTH", address_.user, address_.password});
  greeting.command({"SELECT", std::to_string(address_.db)});
  const auto replies = co_await exchange(greeting);
  if (!replies) co_return Failure(replies.error());
  for (const auto& reply : *replies) {
    if (!reply.view().error()) continue;
    log::error("redis_refused_us", {{"redis", address_.shown()}, {"said", reply.view().text()}});
    co_return Failure(Errc::unavailable);
  }
  co_return Result<>{};
}

Task<> Connection::read_all() {
  std::array<char, 64 * 1024> bytes;
  for (;;) {
    boost::system::error_code error;
    co_await socket_.async_wait(Socket::wait_read, use_task);
    const std::size_t got = socket_.read_some(asio::buffer(bytes), error);
    if (error == asio::error::would_block) continue;
    if (error) throw Broken();
    last_read_ = clock_.now();
    if (redisReaderFeed(reader_.get(), bytes.data(), got) != REDIS_OK) throw Broken();
    take_replies();
  }
}

void Connection::take_replies() {
  for (;;) {
    void* raw = nullptr;
    if (redisReaderGetReply(reader_.get(), &raw) != REDIS_OK) throw Broken();
    if (!raw) return;
    Reply reply(static_cast<redisReply*>(raw));
    if (hooks_.on_push)
      hooks_.on_push(reply.view());
    else
      deliver(std::move(reply));
  }
}

void Connection::deliver(Reply reply) {
  if (expected_.empty()) throw Broken();
  const auto call = std::move(expected_.front().call);
  expected_.pop_front();
  if (!call) return;
  call->replies.push_back(std::move(reply));
  if (call->replies.size() < call->commands || !call->waiter) return;
  asio::get_associated_cancellation_slot(call->waiter).clear();
  asio::post(clock_.loop(), [waiter = std::move(call->waiter)]() mutable {
    std::move(waiter)(boost::system::error_code{});
  });
}

Task<> Connection::write_all() {
  for (;;) {
    while (out_.empty()) co_await to_write_.wait();
    writing_.clear();
    writing_.swap(out_);
    boost::system::error_code error;
    std::size_t sent = socket_.write_some(asio::buffer(writing_), error);
    if (error && error != asio::error::would_block) throw Broken();
    if (sent == writing_.size()) continue;
    co_await asio::async_write(socket_, asio::buffer(writing_) + sent,
                               asio::redirect_error(use_task, error));
    if (error) throw Broken();
  }
}

Task<> Connection::look_after() {
  CommandBuffer ping;
  ping.command({"PING"});
  for (;;) {
    co_await clock_.sleep_for(look_every);
    const Instant now = clock_.now();
    const bool overdue = !expected_.empty() && expected_.front().deadline < now;
    const Duration silent = now - last_read_;
    if (overdue || (hooks_.on_push && silent > silent_max)) throw Broken();
    if (silent > ping_after && expected_.empty()) tell(ping);
  }
}

void Connection::send(const CommandBuffer& commands, std::shared_ptr<Call> call) {
  const bool was_empty = out_.empty();
  out_.append(commands.text());
  if (!hooks_.on_push) {
    const Instant deadline = clock_.now() + limits::log_command_timeout;
    for (std::size_t i = 0; i < commands.count(); ++i) expected_.push_back({call, deadline});
  }
  if (was_empty) to_write_.notify();
}

void Connection::tell(const CommandBuffer& commands) {
  if (socket_.is_open() && reader_) send(commands, nullptr);
}

Task<Result<Replies>> Connection::call(const CommandBuffer& commands) {
  if (!ready_) co_return Failure(Errc::unavailable);
  co_return co_await exchange(commands);
}

Task<Result<Replies>> Connection::exchange(const CommandBuffer& commands) {
  const auto call = std::make_shared<Call>();
  call->commands = commands.count();
  call->replies.reserve(call->commands);
  send(commands, call);
  boost::system::error_code error;
  auto token = asio::redirect_error(use_task, error);
  auto enter = [this, &call](auto handler) {
    Waiter(std::move(handler)).swap(call->waiter);  // Boost 1.81's move assignment never returns
    auto slot = asio::get_associated_cancellation_slot(call->waiter);
    if (!slot.is_connected()) return;
    slot.assign([this, abandoned = call.get()](asio::cancellation_type) {
      if (!abandoned->waiter) return;
      asio::post(clock_.loop(), [waiter = std::move(abandoned->waiter)]() mutable {
        std::move(waiter)(asio::error::operation_aborted);
      });
    });
  };
  co_await asio::async_initiate<decltype(token), void(boost::system::error_code)>(enter, token);
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
  if (error) co_return Failure(Errc::timed_out);
  co_return std::move(call->replies);
}

void Connection::fail_pending() {
  reader_.reset();
  for (auto& expected : std::exchange(expected_, {})) {
    if (!expected.call || !expected.call->waiter) continue;
    asio::get_associated_cancellation_slot(expected.call->waiter).clear();
    asio::post(clock_.loop(), [waiter = std::move(expected.call->waiter)]() mutable {
      std::move(waiter)(asio::error::connection_aborted);
    });
  }
}

}  // namespace millrace::redis
