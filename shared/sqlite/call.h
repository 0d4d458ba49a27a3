#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "shared/runtime/clock.h"
#include "shared/sqlite/tables.h"
#include "shared/store_port/reply.h"

namespace millrace::sqlite {

/// One piece of work on its way: made on a loop, run on a thread of the store, and, when somebody
/// waits for it, handed back to that loop. Whoever holds it owns it.
class Call {
 public:
  virtual ~Call() = default;

  /// Does the work and keeps the answer. Fails only where the whole batch has to; may be run
  /// again after a rollback.
  virtual Result<> run(Tables& tables) = 0;
  /// What has to follow the commit at once, on the thread that made it, whoever still waits.
  virtual void committed() {}
  /// Answers with an error instead.
  virtual void fail(Errc error) = 0;
  /// On the loop: wakes who waits, unless it has gone.
  virtual void reply(Clock& clock) = 0;

  std::uint64_t port = 0;  ///< where the reply goes; 0: nobody waits, so the work may be late
  std::size_t bytes = 0;   ///< held by this call, roughly
};

/// Work whose caller waits, with a deadline on the caller's own clock.
template <class T, class Work>
class AwaitedCall final : public Call {
 public:
  AwaitedCall(Work work, std::optional<Result<T>>& reply) : work_(std::move(work)), reply_(reply) {}

  Result<> run(Tables& tables) override {
    result_ = work_(tables);
    if (!result_ && !is_answer(result_.error())) return Failure(result_.error());
    return {};
  }
  void committed() override {
    if constexpr (requires(Work& work) { work.committed(); }) work_.committed();
  }
  void fail(Errc error) override { result_ = Failure(error); }
  void reply(Clock& clock) override {
    // Finished here and now, so the waiting coroutine and its place for the reply still stand.
    if (clock.finish(timer, replied)) reply_ = std::move(result_);
  }

  Clock::TimerId timer;

 private:
  Work work_;
  Result<T> result_ = Failure(Errc::unavailable);
  std::optional<Result<T>>& reply_;
};

/// Work whose answer is given to a function on the loop.
template <class T, class Work, class Done>
class AnsweredCall final : public Call {
 public:
  AnsweredCall(Work work, Done done) : work_(std::move(work)), done_(std::move(done)) {}

  Result<> run(Tables& tables) override {
    result_ = work_(tables);
    if (!result_) return Failure(result_.error());
    return {};
  }
  void fail(Errc error) override { result_ = Failure(error); }
  void reply(Clock&) override { done_(std::move(result_)); }

 private:
  Work work_;
  Done done_;
  Result<T> result_ = Failure(Errc::unavailable);
};

/// Work nobody waits for.
template <class Work>
class LateCall final : public Call {
 public:
  explicit LateCall(Work work) : work_(std::move(work)) {}
  Result<> run(Tables& tables) override { return work_(tables); }
  void fail(Errc) override {}
  void reply(Clock&) override {}

 private:
  Work work_;
};

}  // namespace millrace::sqlite
