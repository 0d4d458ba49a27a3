#pragma once
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>
#include <memory>
#include <mutex>
#include <optional>

#include "shared/disk/disk_threads.h"
#include "shared/runtime/clock.h"
#include "shared/runtime/error.h"

namespace millrace::disk {

/// How one loop has the disk threads do something and hears what came of it. Belongs to that loop,
/// whose clock outlives it; the threads outlive both.
class DiskCaller {
 public:
  DiskCaller(Clock& clock, DiskThreads& threads)
      : clock_(clock), threads_(threads), door_(std::make_shared<Door>(clock)) {}
  ~DiskCaller() { door_->close(); }
  DiskCaller(const DiskCaller&) = delete;
  DiskCaller& operator=(const DiskCaller&) = delete;

  Clock& clock() const { return clock_; }

  /// What `work` returns, a Result<T>; `overloaded` when too much waits already, `timed_out` after
  /// `patience`, when it may still be done. What it holds is let go on its thread.
  template <class T, class Work>
  Task<Result<T>> ask(Duration patience, Work work) {
    if (threads_.full()) co_return Failure(Errc::overloaded);
    auto reply = std::make_shared<Reply<T>>();
    boost::system::error_code ended;
    auto token = asio::redirect_error(use_task, ended);
    auto enter = [&](auto handler) {
      clock_.async_wait(clock_.now() + patience, &reply->timer, std::move(handler));
      threads_.push(
          [door = door_, reply, work = std::move(work)]() mutable { door->bring(reply, work()); });
    };
    co_await asio::async_initiate<decltype(token), void(boost::system::error_code)>(enter, token);
    if (reply->result) co_return std::move(*reply->result);
    if (ended == asio::error::operation_aborted) throw boost::system::system_error(ended);
    co_return Failure(Errc::timed_out);
  }

  /// Lets go of something on one of the threads: to do so may wait for the disk.
  template <class T>
  void let_go(std::shared_ptr<T> held) {
    threads_.push([held = std::move(held)] {});
  }

 private:
  template <class T>
  struct Reply {
    Clock::TimerId timer;
    std::optional<Result<T>> result;  ///< of the loop
  };

  /// The way back to the loop, closed once nobody is there.
  class Door {
   public:
    explicit Door(Clock& clock) : clock_(&clock) {}
    void close() {
      const std::lock_guard lock(mutex_);
      clock_ = nullptr;
    }
    template <class T>
    void bring(std::shared_ptr<Reply<T>> reply, Result<T> result) {
      const std::lock_guard lock(mutex_);
      if (!clock_) return;
      auto hand_over = [reply = std::move(reply), result = std::move(result),
                        clock = clock_]() mutable {
        const auto here = boost::system::errc::make_error_code(boost::system::errc::interrupted);
        if (clock->finish(reply->timer, here)) reply->result = std::move(result);
      };
      asio::post(clock_->loop(), std::move(hand_over));
    }

   private:
    std::mutex mutex_;
    Clock* clock_;
  };

  Clock& clock_;
  DiskThreads& threads_;
  std::shared_ptr<Door> door_;
};

}  // namespace millrace::disk
