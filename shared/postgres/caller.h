#pragma once
#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>

#include "shared/postgres/desk.h"
#include "shared/runtime/limits.h"

namespace millrace::postgres {

/// How one loop has the store's loop do something and hears what came of it. Belongs to its loop,
/// whose clock outlives it.
class Caller {
 public:
  explicit Caller(Clock& clock) : clock_(clock), door_(std::make_shared<Door>(clock)) {}
  ~Caller() { door_->close(); }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  /// Waits for the answer, at most `limits::store_timeout`. `locks`: the job that is written, if
  /// any; `bytes`: what the work carries. `work(Tables&)` is a Task<Result<T>>, and stays where it
  /// is until that has ended.
  template <class T, class Work>
  Task<Result<T>> ask(Desk& desk, JobId locks, std::size_t bytes, Work work) {
    using Awaited = AwaitedCall<T, Work>;
    if (desk.full()) co_return Failure(Errc::overloaded);
    auto reply = std::make_shared<typename Awaited::Reply>();
    auto call = std::make_unique<Awaited>(std::move(work), reply);
    call->door = door_;
    call->locks = locks;
    call->bytes = bytes + call_bytes;
    boost::system::error_code ended;
    auto token = asio::redirect_error(use_task, ended);
    auto enter = [&](auto handler) {
      const auto deadline = clock_.now() + limits::store_timeout;
      clock_.async_wait(deadline, &reply->timer, std::move(handler));
      desk.push(std::move(call));
    };
    co_await asio::async_initiate<decltype(token), void(boost::system::error_code)>(enter, token);
    if (reply->result) co_return std::move(*reply->result);
    if (ended == asio::error::operation_aborted) throw boost::system::system_error(ended);
    co_return Failure(Errc::timed_out);
  }

  /// Work nobody hears of. It waits for a commit with others, and for the server as long as needed.
  template <class Work>
  static void write_later(Desk& desk, JobId locks, std::size_t bytes, Work work) {
    auto call = std::make_unique<LateCall<Work>>(std::move(work));
    call->locks = locks;
    call->bytes = bytes + call_bytes;
    desk.push(std::move(call));
  }

 private:
  /// What a call weighs beside the text it carries.
  static constexpr std::size_t call_bytes = 400;

  Clock& clock_;
  std::shared_ptr<Door> door_;
};

}  // namespace millrace::postgres
