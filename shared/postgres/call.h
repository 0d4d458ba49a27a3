#pragma once
#include <boost/asio/post.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "shared/postgres/tables.h"
#include "shared/runtime/clock.h"
#include "shared/store_port/reply.h"

namespace millrace::postgres {

class Call;
using Calls = std::vector<std::unique_ptr<Call>>;

/// The way back to one loop, closed once nobody is there.
class Door {
 public:
  explicit Door(Clock& clock) : clock_(&clock) {}
  /// On the loop.
  void close();
  /// Any thread: each call replies on the loop, all in one turn.
  void bring(Calls calls);

 private:
  std::mutex mutex_;
  Clock* clock_;
};

/// One piece of work on its way: made on a loop, run on the store's, and, when somebody waits for
/// it, handed back. Whoever holds it owns it.
class Call {
 public:
  virtual ~Call() = default;

  /// Does the work and keeps the answer. Fails only where the whole batch has to; may be run again
  /// after a rollback. This outlives the task.
  virtual Task<Result<>> run(Tables& tables) = 0;
  /// Answers with an error instead.
  virtual void fail(Errc error) = 0;
  /// On the loop it came from: wakes who waits, unless it has gone.
  virtual void reply(Clock& clock) = 0;

  std::shared_ptr<Door> door;  ///< null: nobody waits, so the work may be late
  JobId locks;                 ///< the row it writes; batches lock in this order
  std::size_t bytes = 0;       ///< held by this call, roughly
};

/// Brings calls that somebody waits for back to where they came from, and drops the others.
void bring_back(Calls calls);

/// Work whose caller waits, with a deadline on the caller's own clock.
template <class T, class Work>
class AwaitedCall final : public Call {
 public:
  struct Reply {
    Clock::TimerId timer{};
    std::optional<Result<T>> result;  ///< of the loop
  };
  AwaitedCall(Work work, std::shared_ptr<Reply> reply)
      : work_(std::move(work)), reply_(std::move(reply)) {}

  Task<Result<>> run(Tables& tables) override {
    result_ = co_await work_(tables);
    if (!result_ && !is_answer(result_.error())) co_return Failure(result_.error());
    co_return Result<>();
  }
  void fail(Errc error) override { result_ = Failure(error); }
  void reply(Clock& clock) override {
    if (clock.finish(reply_->timer, replied)) reply_->result = std::move(result_);
  }

 private:
  Work work_;
  Result<T> result_ = Failure(Errc::unavailable);
  std::shared_ptr<Reply> reply_;
};

/// Work nobody waits for.
template <class Work>
class LateCall final : public Call {
 public:
  explicit LateCall(Work work) : work_(std::move(work)) {}
  Task<Result<>> run(Tables& tables) override { return work_(tables); }
  void fail(Errc) override {}
  void reply(Clock&) override {}

 private:
  Work work_;
};

}  // namespace millrace::postgres
