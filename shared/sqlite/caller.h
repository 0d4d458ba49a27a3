#pragma once
#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>

#include "shared/runtime/limits.h"
#include "shared/sqlite/reply_router.h"

namespace millrace::sqlite {

/// How one loop puts work to the threads of the store and hears what came of it. Belongs to that
/// loop, whose clock outlives it.
class Caller {
 public:
  Caller(Clock& clock, ReplyRouter& replies)
      : clock_(clock), replies_(replies), port_(replies.enter(clock)) {}
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;
  ~Caller() { replies_.leave(port_); }

  Clock& clock() const { return clock_; }

  /// Waits for the answer, at most `limits::store_timeout`. `bytes`: what the work carries.
  template <class T, class Work>
  Task<Result<T>> ask(CallQueue& queue, std::size_t bytes, Work work) {
    if (queue.full()) co_return Failure(Errc::overloaded);
    std::optional<Result<T>> reply;
    auto call = std::make_unique<AwaitedCall<T, Work>>(std::move(work), reply);
    call->port = port_;
    call->bytes = bytes + call_bytes;
    boost::system::error_code ended;
    auto token = asio::redirect_error(use_task, ended);
    auto enter = [&](auto handler) {
      const auto deadline = clock_.now() + limits::store_timeout;
      clock_.async_wait(deadline, &call->timer, std::move(handler));
      queue.push(std::move(call));
    };
    co_await asio::async_initiate<decltype(token), void(boost::system::error_code)>(enter, token);
    if (reply) co_return std::move(*reply);
    if (ended == asio::error::operation_aborted) throw boost::system::system_error(ended);
    co_return Failure(Errc::timed_out);
  }

  /// Waits for nothing: `done(Result<T>)` runs on the loop. Not once this has gone, but for a
  /// reply already on its way: `done` holds weakly what it touches.
  template <class T, class Work, class Done>
  void ask_then(CallQueue& queue, Work work, Done done) {
    auto call = std::make_unique<AnsweredCall<T, Work, Done>>(std::move(work), std::move(done));
    call->port = port_;
    call->bytes = call_bytes;
    queue.push(std::move(call));
  }

  /// Work nobody hears of. It waits for a commit with others, and for the disk as long as needed.
  template <class Work>
  static void write_later(CallQueue& queue, std::size_t bytes, Work work) {
    auto call = std::make_unique<LateCall<Work>>(std::move(work));
    call->bytes = bytes + call_bytes;
    queue.push(std::move(call));
  }

 private:
  /// What a call weighs beside the text it carries.
  static constexpr std::size_t call_bytes = 400;

  Clock& clock_;
  ReplyRouter& replies_;
  std::uint64_t port_;
};

}  // namespace millrace::sqlite
