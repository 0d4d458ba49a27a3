#include <boost/asio/post.hpp>

#include "shared/contract/envelope.h"
#include "shared/kafka/consumer_thread.h"
#include "shared/runtime/log.h"

namespace millrace::kafka {
namespace {

/// Nobody waits for what follows from a job: its key is free already.
constexpr Duration forward_linger = 20ms;
constexpr Duration forward_again_first = 100ms;
constexpr Duration forward_again_max = 5s;
constexpr auto upgrade_wait = std::chrono::hours(1);
/// While so many records wait for Kafka to take what follows from them, no more are handed out.
constexpr std::size_t unfinished_max = 10'000;

std::string milliseconds_from(WallTime now, std::chrono::milliseconds later) {
  return std::to_string((now + later).time_since_epoch().count());
}

/// Of a record whose envelope nobody here could read: after one hour it is given up.
Header upgrade_mark() {
  return {topics::reason_header, std::string(unknown_version)};
}

}  // namespace

void Consumer::Thread::take_settled() {
  std::vector<Settled> told;
  {
    const std::lock_guard lock(mutex_);
    told.swap(settled_);
    settled_posted_ = false;
  }
  for (auto& settled : told) {
    Item* item = lanes_.in_flight(settled.handle);
    if (!item) continue;  // settled before
    counts_.in_flight.fetch_sub(1, std::memory_order_relaxed);
    if (settled.what == Settled::What::finish) {
      finish(settled.handle, std::move(settled.consequences));
      continue;
    }
    if (settled.what == Settled::What::again) ++item->attempt;
    item->redelivered = item->redelivered || settled.begun;
    if (item->partition->owned)
      lanes_.put_off(settled.handle, settled.until);
    else
      lanes_.finish(settled.handle);
  }
  if (lanes_.wake(clock_.now()) < tick_at_) tick_now_.notify();
  hand_out();
  pace();
}

/// Frees the key at once; the record itself is finished when all that follows is acknowledged.
void Consumer::Thread::finish(std::uint64_t handle, std::vector<Consequence> consequences) {
  Item* item = lanes_.in_flight(handle);
  if (!item) return;
  if (!consequences.empty())
    nursery_.start(finish_after(item->partition, item->offset, std::move(consequences)));
  else if (item->partition->owned)
    item->partition->tracker.finish(item->offset);
  lanes_.finish(handle);
}

Task<> Consumer::Thread::finish_after(PartitionPtr partition, std::int64_t offset,
                                      std::vector<Consequence> consequences) {
  struct Counted {
    Thread& thread;
    std::size_t bytes = 0;
    ~Counted() {
      --thread.unfinished_;
      thread.unfinished_bytes_ -= bytes;
    }
  } counted{*this};
  for (const auto& one : consequences) counted.bytes += one.key.size() + one.value.size();
  ++unfinished_;
  unfinished_bytes_ += counted.bytes;
  for (const auto& one : consequences) {
    Duration wait = forward_again_first;
    const auto send = [&] {
      return producer_.produce(clock_, one.topic, one.key, one.value, one.headers, forward_linger);
    };
    auto sent = co_await send();
    while (!sent) {
      // The log has the reason. A copy of a job is tried until somebody has mended it.
      if (sent.error() == Errc::invalid && one.may_be_refused) break;
      co_await clock_.sleep_for(wait);
      wait = std::min(2 * wait, Duration(forward_again_max));
      sent = co_await send();
    }
  }
  if (partition->owned) partition->tracker.finish(offset);
  if (unfinished_ == unfinished_max) asio::post(loop_, [this] { hand_out(); });
}

void Consumer::Thread::hand_out() {
  if (closing_ || giving_up_ || unfinished_ >= unfinished_max) return;
  std::vector<std::vector<Delivery>> out(inboxes_.size());
  while (lanes_.in_flight_count() < options_.jobs_in_flight) {
    Item* item = lanes_.take();
    if (!item) break;
    hand_one(*item, out);
  }
  for (std::size_t i = 0; i < out.size(); ++i) Inbox::put(inboxes_[i], out[i]);
}

void Consumer::Thread::hand_one(Item& item, std::vector<std::vector<Delivery>>& out) {
  item.partition->highest = std::max(item.partition->highest, item.offset);
  auto read = decode_envelope(item.value);
  if (const auto* newer = std::get_if<UnknownVersion>(&read)) {
    if (item.waited_for_upgrade)
      finish(item.handle,
             dead_letter(item, "unknown envelope version " + std::to_string(newer->version)));
    else
      wait_for_upgrade(item, newer->version);
    return;
  }
  if (const auto* malformed = std::get_if<MalformedEnvelope>(&read)) {
    finish(item.handle, dead_letter(item, malformed->reason));
    return;
  }
  Delivery delivery;
  delivery.job = std::move(std::get<Job>(read));
  delivery.attempt = item.attempt;
  delivery.redelivered = item.redelivered || item.attempt > 1;
  delivery.handle = item.handle;
  counts_.in_flight.fetch_add(1, std::memory_order_relaxed);
  counts_.delivered.fetch_add(1, std::memory_order_relaxed);
  const std::size_t hash = item.key.empty() ? item.handle : std::hash<std::string>()(item.key);
  const std::size_t port = hash % inboxes_.size();
  out[port].push_back(std::move(delivery));
}

/// What nobody can read is a dead letter at once.
std::vector<Consequence> Consumer::Thread::dead_letter(const Item& item, std::string reason) {
  log::warn("unreadable_record",
            {{"topic", item.partition->topic}, {"offset", item.offset}, {"reason", reason}});
  counts_.dead.fetch_add(1, std::memory_order_relaxed);
  return {{topics::full(options_.prefix, topics::dead),
           item.key,
           item.value,
           {{topics::reason_header, std::move(reason)},
            {topics::origin_header, item.partition->topic},
            {topics::attempt_header, std::to_string(item.attempt)}}}};
}

/// A rolling upgrade brings newer edges' envelopes to older workers for a while.
void Consumer::Thread::wait_for_upgrade(const Item& item, std::int64_t version) {
  log::warn("newer_envelope", {{"version", version}, {"topic", item.partition->topic}});
  finish(item.handle, {{topics::full(options_.prefix, topics::retry_tiers.back().suffix),
                        item.key,
                        item.value,
                        {upgrade_mark(),
                         {topics::origin_header, item.partition->topic},
                         {topics::attempt_header, std::to_string(item.attempt)},
                         {topics::due_header, milliseconds_from(clock_.wall(), upgrade_wait)}}}});
}

/// Nothing stays longer than its tier's delay, due or not: a partition that is full of late copies
/// is read on after that time.
void Consumer::Thread::take_retry(const PartitionPtr& partition, Item item, Instant due) {
  const Instant until = std::min(due, clock_.now() + partition->tier_delay);
  copies_.add(until, {std::move(item), due});
}

void Consumer::Thread::return_due(Instant now) {
  while (unfinished_ < unfinished_max) {
    auto copy = copies_.take(now);
    if (!copy) break;
    if (copy->due > now)
      wait_again(std::move(*copy));
    else
      send_back(std::move(copy->item));
  }
  pace();
}

/// To the end of its tier.
void Consumer::Thread::wait_again(WaitingCopies::Copy copy) {
  Item& item = copy.item;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(copy.due - clock_.now());
  std::vector<Header> headers{{topics::attempt_header, std::to_string(item.attempt)},
                              {topics::due_header, milliseconds_from(clock_.wall(), wait)},
                              {topics::origin_header, std::move(item.origin)}};
  if (item.waited_for_upgrade) headers.push_back(upgrade_mark());
  std::vector<Consequence> again;
  again.push_back(
      {item.partition->topic, std::move(item.key), std::move(item.value), std::move(headers)});
  nursery_.start(finish_after(std::move(item.partition), item.offset, std::move(again)));
}

void Consumer::Thread::send_back(Item item) {
  if (!item.origin.starts_with(topics::full(options_.prefix, "jobs."))) {
    auto letter = dead_letter(item, "a retry copy without a jobs topic to return to");
    nursery_.start(finish_after(std::move(item.partition), item.offset, std::move(letter)));
    return;
  }
  std::vector<Header> headers{{topics::attempt_header, std::to_string(item.attempt)}};
  if (item.waited_for_upgrade) headers.push_back(upgrade_mark());
  std::vector<Consequence> copy;
  copy.push_back(
      {std::move(item.origin), std::move(item.key), std::move(item.value), std::move(headers)});
  nursery_.start(finish_after(std::move(item.partition), item.offset, std::move(copy)));
}

}  // namespace millrace::kafka
