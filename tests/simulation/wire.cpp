#include "tests/simulation/wire.h"

#include <algorithm>
#include <boost/asio/post.hpp>

namespace millrace::sim {
namespace {
/// How much later than its caller's patience a late request may come.
constexpr std::uint64_t late_ms_max = 6000;
}  // namespace

void Host::cut_all() {
  for (Wire* wire : wires) wire->cut();
}

struct Wire::Call {
  explicit Call(Clock& clock) : news(clock) {}
  Signal news;
  std::optional<Result<>> ended;
  bool heard = true;  ///< somebody waits for the answer
};

Wire::Fate Wire::draw() {
  const Weather& weather = host_.weather;
  if (world_.chance.in_10000(weather.lose_request)) return Fate::request_lost;
  if (world_.chance.in_10000(weather.lose_answer)) return Fate::answer_lost;
  if (world_.chance.in_10000(weather.delay_request)) return Fate::request_late;
  if (world_.chance.in_10000(weather.refuse)) return Fate::refused;
  if (world_.chance.in_10000(weather.cut)) cut();
  return Fate::good;
}

Instant Wire::arrival() {
  const Instant when = world_.now() + world_.chance.us(50, 1000 * host_.weather.slowest_ms);
  return last_arrival_ = std::max(last_arrival_, when);
}

Task<Result<>> Wire::call(Work there, Instant give_up) {
  if (life_->dead) co_await process_.clock.sleep_for(1ms);
  const Fate fate = up() ? draw() : Fate::refused;
  if (!up() || fate == Fate::refused) co_return Failure(Errc::unavailable);
  const auto call = std::make_shared<Call>(process_.clock);
  const struct Leaves {
    Call& call;
    ~Leaves() { call.heard = false; }
  } leaves{*call};
  std::erase_if(waiting_, [](const auto& one) { return one.expired(); });
  waiting_.push_back(call);
  if (fate == Fate::good)
    send(arrival(), std::move(there), call);
  else if (fate == Fate::answer_lost)
    send(arrival(), std::move(there), nullptr);
  else if (fate == Fate::request_late)
    send(give_up + world_.chance.ms(1, late_ms_max), unless_all_was_lost(std::move(there)),
         nullptr);
  if (fate != Fate::good)
    world_.note(process_.name, host_.name + (fate == Fate::answer_lost    ? ": an answer is lost"
                                             : fate == Fate::request_late ? ": a request is late"
                                                                          : ": a request is lost"));
  while (!call->ended && process_.clock.now() < give_up) co_await call->news.wait_until(give_up);
  if (call->ended) co_return *call->ended;
  cut();  // after a missed answer nothing on this connection can be told apart
  co_return Failure(Errc::timed_out);
}

/// A job's first `begin` that comes seconds late to a log that has lost everything since makes a
/// record as if the job were new, and nobody can tell.
memory::Link::Work Wire::unless_all_was_lost(Work there) {
  return [there = std::move(there), &host = host_, losses = host_.losses] {
    if (host.losses == losses) there();
  };
}

void Wire::send(Instant when, Work there, std::shared_ptr<Call> call) {
  const auto connection = connection_;
  world_.at(when, [this, there = std::move(there), call, connection, epoch = host_.epoch] {
    if (lost_on_the_way(epoch)) return;
    there();
    if (call) answer(call, connection);
  });
}

void Wire::answer(std::shared_ptr<Call> call, std::uint64_t connection) {
  last_return_ =
      std::max(last_return_, world_.now() + world_.chance.us(50, 1000 * host_.weather.slowest_ms));
  world_.at(last_return_, [this, call, connection] {
    if (!call->heard || call->ended || life_->dead || connection != connection_) return;
    call->ended = Result<>();
    call->news.notify();
  });
}

void Wire::tell(Work there) {
  if (!up()) return;
  // It waits a moment in the process's own buffers, and dies with it there.
  const Instant leaves = world_.now() + world_.chance.us(0, 2000);
  last_arrival_ = std::max(last_arrival_, leaves);
  world_.at(arrival(), [this, there = std::move(there), life = life_, leaves, epoch = host_.epoch,
                        connection = connection_] {
    if (life->died_at < leaves || lost_on_the_way(epoch) || connection != connection_) return;
    there();
  });
}

void Wire::push(Work here) {
  if (!up_ || life_->dead) return;
  if (world_.chance.in_10000(host_.weather.lose_push)) return;
  last_return_ =
      std::max(last_return_, world_.now() + world_.chance.us(50, 1000 * host_.weather.slowest_ms));
  world_.at(last_return_, [this, here = std::move(here), connection = connection_] {
    if (life_->dead || connection != connection_) return;
    asio::post(process_.loop, here);
  });
}

void Wire::cut() {
  if (!up_) return;
  up_ = false;
  ++connection_;
  for (const auto& one : waiting_) {
    const auto call = one.lock();
    if (!call || !call->heard || call->ended) continue;
    call->ended = Failure(Errc::timed_out);
    call->news.notify();
  }
  waiting_.clear();
  restore_later();
}

void Wire::restore_later() {
  world_.after(world_.chance.ms(5, 300), [this] {
    if (life_->dead) return;
    if (!host_.up) {
      restore_later();
      return;
    }
    up_ = true;
    last_arrival_ = last_return_ = world_.now();
    if (!restored_) return;
    asio::post(process_.loop, [this] {
      if (restored_ && up_) restored_();
    });
  });
}

}  // namespace millrace::sim
