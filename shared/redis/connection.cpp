#include "shared/redis/connection.h"

#include <hiredis/hiredis.h>

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

#include "shared/runtime/log.h"

namespace millrace::redis {
namespace {

constexpr Duration reconnect_first = 20ms;
constexpr Duration reconnect_max = 500ms;
constexpr Duration look_every = 250ms;
/// A quiet connection is asked whether it still stands.
constexpr Duration ping_after = 1s;

/// Ends everything that runs on one connection; caught where it was opened.
struct Broken : std::exception {
  explicit Broken(const char* reason) : why(reason) {}
  const char* what() const noexcept override { return why; }
  const char* why;
};

}  // namespace

void Connection::ReaderFree::operator()(redisReader* reader) const noexcept {
  redisReaderFree(reader);
}

Connection::Connection(Clock& clock, Address address, Duration command_timeout, Hooks hooks)
    : clock_(clock),
      address_(std::move(address)),
      command_timeout_(command_timeout),
      hooks_(std::move(hooks)),
      socket_(clock.loop()),
      to_write_(clock),
      to_look_(clock) {}

Connection::~Connection() = default;

Task<> Connection::run() {
  Duration wait = reconnect_first;
  for (;;) {
    const Instant began = clock_.now();
    co_await live_once();
    const bool lasted = clock_.now() - began > reconnect_max;
    wait = lasted ? reconnect_first : std::min(2 * wait, reconnect_max);
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
  } catch (const Broken& broken) {
    if (!std::exchange(said_away_, true))
      log::warn("redis_lost", {{"redis", address_.shown()}, {"why", broken.why}});
  }
}

/// Gives up after a time: a host that is stopped or gone does not refuse.
Task<bool> Connection::connect() {
  bool connected = false;
  Nursery attempt(clock_);
  attempt.start(hang_up_at(deadline()));
  attempt.start(dial(attempt, connected));
  co_await attempt.join();
  co_return connected;
}

Task<> Connection::hang_up_at(Instant when) {
  co_await clock_.sleep_until(when);
  boost::system::error_code ignored;
  socket_.close(ignored);
}

Task<> Connection::dial(Nursery& attempt, bool& connected) {
  struct Over {  // then nobody needs to hang up
    Nursery& attempt;
    ~Over() { attempt.stop(); }
  } over{attempt};
  boost::system::error_code error;
  const auto numeric = asio::ip::make_address(address_.host, error);
  if (!error) {
    const asio::ip::tcp::endpoint at(numeric, address_.port);
    co_await socket_.async_connect(at, asio::redirect_error(use_task, error));
  } else {
    asio::ip::basic_resolver<asio::ip::tcp, Executor> resolver(clock_.loop());
    const auto found = co_await resolver.async_resolve(address_.host, std::to_string(address_.port),
                                                       asio::redirect_error(use_task, error));
    if (error) co_return;
    // One after the other: `localhost` is ::1 first, where Redis rarely listens.
    co_await asio::async_connect(socket_, found, asio::redirect_error(use_task, error));
  }
  if (error) co_return;
  socket_.non_blocking(true, error);
  socket_.set_option(asio::ip::tcp::no_delay(true), error);
  connected = !error;
}

Task<> Connection::greet() {
  const auto introduced = co_await introduce();
  if (!introduced) throw Broken("the greeting was refused");
  if (hooks_.on_connected) {
    const auto done = co_await hooks_.on_connected(*this);
    if (!done) throw Broken("it could not be prepared");
  }
  ready_ = true;
  if (std::exchange(said_away_, false)) log::info("redis_back", {{"redis", address_.shown()}});
}

Task<Result<>> Connection::introduce() {
  CommandBuffer greeting;
  if (!address_.password.empty() && address_.user.empty())
    greeting.command({"AUTH", address_.password});
  if (!address_.password.empty() && !address_.user.empty())
    greeting.command({"AUTH", address_.user, address_.password});
  if (hooks_.on_push) {  // channels know no database; a refusal is an error reply and ends us
    if (greeting.count() > 0) tell(greeting);
    co_return Result<>{};
  }
  greeting.command({"SELECT", std::to_string(address_.db)});
  const auto replies = co_await exchange(greeting, deadline());
  if (!replies) co_return Failure(replies.error());
  for (const auto& reply : *replies) {
    if (!reply.view().error()) continue;
    if (!said_away_)
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
    if (error) throw Broken("the server closed the connection");
    last_read_ = clock_.now();
    if (redisReaderFeed(reader_.get(), bytes.data(), got) != REDIS_OK)
      throw Broken("replies that are no Redis protocol");
    take_replies();
  }
}

void Connection::take_replies() {
  for (;;) {
    void* raw = nullptr;
    if (redisReaderGetReply(reader_.get(), &raw) != REDIS_OK)
      throw Broken("replies that are no Redis protocol");
    if (!raw) return;
    Reply reply(static_cast<redisReply*>(raw));
    if (!hooks_.on_push) {
      deliver(std::move(reply));
    } else if (reply.view().error()) {
      throw Broken("it refused to let us listen");
    } else {
      hooks_.on_push(reply.view());
    }
  }
}

void Connection::deliver(Reply reply) {
  if (expected_.empty()) throw Broken("a reply to nothing");
  const auto call = std::move(expected_.front().call);
  expected_.pop_front();
  if (!call) return;
  call->replies.push_back(std::move(reply));
  if (call->replies.size() == call->commands) tell_waiter(*call, {});
}

Task<> Connection::write_all() {
  for (;;) {
    while (out_.empty()) co_await to_write_.wait();
    writing_.clear();
    writing_.swap(out_);
    boost::system::error_code error;
    const std::size_t sent = socket_.write_some(asio::buffer(writing_), error);
    if (error && error != asio::error::would_block)
      throw Broken("the server closed the connection");
    if (sent == writing_.size()) continue;
    co_await asio::async_write(socket_, asio::buffer(writing_) + sent,
                               asio::redirect_error(use_task, error));
    if (error) throw Broken("the server closed the connection");
  }
}

/// A stopped server is silent, nothing else tells.
Task<> Connection::look_after() {
  CommandBuffer ping;
  ping.command({"PING"});
  for (;;) {
    const Instant now = clock_.now();
    if (earliest_deadline() <= now) throw Broken("no answer in time");
    const Duration silent = now - last_read_;
    if (hooks_.on_push && silent > ping_after + command_timeout_) throw Broken("no answer in time");
    if (silent >= ping_after && expected_.empty()) tell(ping);
    // A call made while we sleep has its deadline later than this, or wakes us.
    next_look_ = std::min(earliest_deadline(), now + std::min(look_every, command_timeout_));
    co_await to_look_.wait_until(next_look_);
  }
}

Instant Connection::earliest_deadline() const {
  Instant earliest = Instant::max();
  for (const auto& expected : expected_) earliest = std::min(earliest, expected.deadline);
  return earliest;
}

void Connection::send(const CommandBuffer& commands, std::shared_ptr<Call> call, Instant by) {
  const bool was_empty = out_.empty();
  out_.append(commands.text());
  if (!hooks_.on_push) {
    for (std::size_t i = 0; i < commands.count(); ++i) expected_.push_back({call, by});
    if (by < next_look_) to_look_.notify();
  }
  if (was_empty) to_write_.notify();
}

void Connection::tell(const CommandBuffer& commands) {
  if (reader_) send(commands, nullptr, deadline());
}

Task<Result<Replies>> Connection::call(const CommandBuffer& commands, Instant by) {
  if (!ready_ || by <= clock_.now()) co_return Failure(Errc::unavailable);
  co_return co_await exchange(commands, by);
}

Task<Result<Replies>> Connection::exchange(const CommandBuffer& commands, Instant by) {
  if (!reader_) co_return Failure(Errc::unavailable);
  const auto call = std::make_shared<Call>();
  call->commands = commands.count();
  call->replies.reserve(call->commands);
  send(commands, call, by);
  boost::system::error_code error;
  auto token = asio::redirect_error(use_task, error);
  auto enter = [this, &call](auto handler) {
    Waiter(std::move(handler)).swap(call->waiter);  // Boost 1.81's move assignment never returns
    auto slot = asio::get_associated_cancellation_slot(call->waiter);
    if (!slot.is_connected()) return;
    // The reply still comes and is thrown away.
    slot.assign([this, abandoned = call.get()](asio::cancellation_type) {
      tell_waiter(*abandoned, asio::error::operation_aborted);
    });
  };
  co_await asio::async_initiate<decltype(token), void(boost::system::error_code)>(enter, token);
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
  if (error) co_return Failure(Errc::timed_out);
  co_return std::move(call->replies);
}

void Connection::tell_waiter(Call& call, boost::system::error_code result) {
  if (!call.waiter) return;
  Waiter waiter;
  waiter.swap(call.waiter);
  asio::get_associated_cancellation_slot(waiter).clear();
  asio::post(clock_.loop(),
             [waiter = std::move(waiter), result]() mutable { std::move(waiter)(result); });
}

void Connection::fail_pending() {
  reader_.reset();
  for (auto& expected : std::exchange(expected_, {}))
    if (expected.call) tell_waiter(*expected.call, asio::error::connection_aborted);
}

}  // namespace millrace::redis
