#include "workers/pool/worker.h"

#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include "shared/runtime/log.h"
#include "workers/pool/tell.h"

namespace millrace {
namespace {
/// How often a worker asks whether log and Store are back.
constexpr Duration away_look_every = 200ms;
/// How long handing over may take beyond the grace time.
constexpr Duration hand_over_max = 5s;
/// How long a delivery is put aside whose run failed in a way nobody foresaw.
constexpr Duration broken_run_wait = 5s;

struct Inside {
  QuietRoom& room;
  bool alone;
  ~Inside() { alone ? room.leave_alone() : room.leave(); }
};

struct Counted {
  std::size_t& in_hand;
  WorkerCounts& counts;
  Signal& changed;
  Counted(std::size_t& hand, WorkerCounts& all, Signal& signal)
      : in_hand(hand), counts(all), changed(signal) {
    ++in_hand;
    WorkerCounts::add(counts.in_flight);
  }
  ~Counted() {
    --in_hand;
    counts.in_flight.fetch_sub(1, std::memory_order_relaxed);
    changed.notify();
  }
};

bool cancelled(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& error) {
    return error.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

std::string what(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "unknown";
  }
}
}  // namespace

Worker::Worker(WorkerParts parts)
    : parts_(std::move(parts)),
      keeper_(parts_.clock),
      taking_(parts_.clock),
      jobs_(parts_.clock),
      keeping_(parts_.clock),
      changed_(parts_.clock) {
  parts_.log.on_cancel(parts_.settings.name, [this](const JobId& id) { keeper_.cancel(id); });
}

Worker::~Worker() {
  parts_.log.on_cancel(parts_.settings.name, {});
}

void Worker::drain() {
  draining_ = true;
  taking_.stop();
}

Task<> Worker::run() {
  keeping_.start(keeper_.keep());
  taking_.start(take());
  std::exception_ptr failure;
  try {
    co_await taking_.join();
    co_await finish_in_hand();
  } catch (...) {
    failure = std::current_exception();
  }
  // Cancelled or broken, the tasks still have to end before their owner may.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  if (failure) {
    taking_.stop();
    jobs_.stop();
  }
  co_await taking_.join();
  co_await jobs_.join();
  keeping_.stop();
  co_await keeping_.join();
  if (failure) std::rethrow_exception(failure);
}

Task<> Worker::take() {
  for (;;) {
    co_await wait_until_it_can_work();
    auto delivery = co_await parts_.queue.next();
    if (!delivery && delivery.error() == Errc::closed) co_return;
    if (delivery) {
      jobs_.start(work(std::move(*delivery)));
    } else {
      co_await parts_.clock.sleep_for(away_look_every);
    }
  }
}

Task<> Worker::wait_until_it_can_work() {
  while (in_hand_ >= parts_.settings.jobs_in_flight) co_await changed_.wait();
  while (!parts_.log.reachable() || !parts_.store.healthy())
    co_await parts_.clock.sleep_for(away_look_every);
}

Task<> Worker::finish_in_hand() {
  const Instant grace_ends = parts_.clock.now() + parts_.settings.drain_grace;
  for (bool in_time = true; in_time && in_hand_ > 0;)
    in_time = co_await changed_.wait_until(grace_ends);
  const Instant hand_over_ends = parts_.clock.now() + hand_over_max;
  while (in_hand_ > 0 && parts_.clock.now() < hand_over_ends) {
    keeper_.hand_over_all();
    co_await changed_.wait_until(parts_.clock.now() + RunKeeper::look_every);
  }
  // What cannot even be handed over, for log or Store are away, is taken over once its lease ends.
  jobs_.stop();
}

Task<> Worker::work(Delivery delivery) {
  const Counted counted(in_hand_, parts_.counts, changed_);
  bool suspect = false;
  co_await run_among_others(delivery, suspect);
  if (suspect) co_await run_alone(delivery);
}

Task<> Worker::run_among_others(const Delivery& delivery, bool& suspect) {
  co_await parts_.room.enter(parts_.clock);
  const Inside inside{parts_.room, false};
  co_await run_once(delivery, false, suspect);
}

Task<> Worker::run_alone(const Delivery& delivery) {
  log::warn("job_runs_alone", {{"job", delivery.job.id.str()}});
  co_await parts_.room.enter_alone(parts_.clock);
  const Inside inside{parts_.room, true};
  bool suspect = false;
  co_await run_once(delivery, true, suspect);
}

Task<> Worker::run_once(const Delivery& delivery, bool alone, bool& suspect) {
  JobRun run(parts_, delivery, alone);
  keeper_.add(run);
  WorkerCounts::add(parts_.counts.runs);
  std::exception_ptr failure;
  try {
    auto ended = co_await run_job(run);
    suspect = std::holds_alternative<Suspect>(ended);
    if (suspect) {
      co_await give_lease_back(run, "runs alone: it may have stopped two workers");
    } else {
      co_await tell_then_settle(run, std::move(ended));
    }
  } catch (...) {
    failure = std::current_exception();
  }
  keeper_.remove(run);
  // Also a run that is cancelled has to wait for its pen before it may go.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  try {
    co_await run.pen.close();
  } catch (...) {
    if (!failure) failure = std::current_exception();
  }
  if (failure && cancelled(failure)) std::rethrow_exception(failure);
  if (failure) {
    log::error("run_failed", {{"job", delivery.job.id.str()}, {"error", what(failure)}});
    Delivery back = delivery;
    back.redelivered = back.redelivered || run.leased;
    parts_.queue.release(back, parts_.clock.now() + broken_run_wait);
  }
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
}

}  // namespace millrace
