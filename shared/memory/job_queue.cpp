#include "shared/memory/job_queue.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "shared/contract/envelope.h"
#include "shared/contract/topics.h"

namespace millrace {
namespace {

constexpr Duration commit_every = 500ms;
constexpr Duration heartbeat_every = 1s;
constexpr Duration again_first = 100ms;
constexpr Duration again_max = 5s;
constexpr Duration acknowledged_within = 3s;
constexpr std::size_t fetch_records_max = 100;

/// The shortest tier that covers the wait; the longest for longer ones, which then wait again.
std::string_view retry_tier(Duration wait) {
  for (const auto& tier : topics::retry_tiers)
    if (wait <= tier.delay) return tier.suffix;
  return topics::retry_tiers.back().suffix;
}

std::int64_t ms_of(WallTime time) {
  return time.time_since_epoch().count();
}

/// The mark of how far records had been handed out, and the tracker's hint.
std::string metadata_of(const kafka::Partition& partition) {
  std::string text =
      "d" + std::to_string(std::max(partition.highest + 1, partition.delivered_to)) + ";";
  return text + partition.tracker.hint(limits::commit_metadata_bytes_max - text.size());
}

void read_metadata(kafka::Partition& partition, const std::string& text) {
  const auto end = text.find(';');
  if (!text.starts_with("d") || end == std::string::npos) return;
  partition.delivered_to = std::stoll(text.substr(1, end - 1));
  partition.tracker.apply_hint(std::string_view(text).substr(end + 1));
}

}  // namespace

MemoryJobQueue::MemoryJobQueue(Clock& clock, memory::Broker& broker, memory::Link& link,
                               Options options, const memory::Bugs& bugs)
    : clock_(clock),
      broker_(broker),
      link_(link),
      options_(options),
      bugs_(bugs),
      arrived_(clock),
      tick_now_(clock),
      tasks_(clock) {}

MemoryJobQueue::~MemoryJobQueue() {
  if (member_) member_->retire();
  link_.on_restored({});
}

void MemoryJobQueue::join() {
  if (member_) {
    member_->retire();
    link_.tell([&broker = broker_, member = member_] { broker.leave(member.get()); });
  }
  member_ = std::make_shared<memory::Member>(memory::Member{
      link_,
      [this](const Name& name, const memory::Commit& committed) { assigned(name, committed); },
      [this](const Name& name) { revoked(name); }, [this](const Name& name) { read_soon(name); },
      [this] { lose_all(); }});
  link_.tell([&broker = broker_, member = member_] { broker.join(member); });
  joined_ = true;
}

Task<> MemoryJobQueue::run() {
  if (options_.takes) {
    // Whatever the group said while the connection was cut, we did not hear.
    link_.on_restored([this] { lose_all(); });
    tasks_.start(keep());
  }
  co_await tasks_.join();
}

/// What librdkafka and the consumer's thread do by the clock.
Task<> MemoryJobQueue::keep() {
  Instant commit_at = clock_.now() + commit_every;
  Instant beat_at = clock_.now();
  for (;;) {
    const Instant now = clock_.now();
    if (!joined_ && link_.up()) join();
    return_due(now);
    const Instant due = bugs_.put_off_sleeps_on ? Instant::max() : lanes_.wake(now);
    hand_out();
    if (now >= commit_at) {
      commit();
      commit_at = now + commit_every;
    }
    if (now >= beat_at && member_) {
      link_.tell([&broker = broker_, member = member_] { broker.heartbeat(member); });
      for (const auto& [name, reading] : readings_) read_soon(name);  // what was told may be lost
      beat_at = now + heartbeat_every;
    }
    tick_at_ = std::min({commit_at, beat_at, std::max(due, now + 5ms)});
    co_await tick_now_.wait_until(tick_at_);
  }
}

Task<> MemoryJobQueue::leave() {
  leaving_ = true;
  const Instant patience_ends = clock_.now() + acknowledged_within;
  while (unfinished_ > 0 && clock_.now() < patience_ends) co_await clock_.sleep_for(5ms);
  commit();
  if (member_) link_.tell([&broker = broker_, member = member_] { broker.leave(member.get()); });
  tasks_.stop();
}

// --- the group

void MemoryJobQueue::assigned(const Name& name, const memory::Commit& committed) {
  if (leaving_) return;
  Reading reading;
  reading.partition = std::make_shared<kafka::Partition>();
  kafka::Partition& partition = *reading.partition;
  partition.topic = name.first;
  partition.number = name.second;
  reading.is_tier = name.first.starts_with("retry.");
  partition.positioned = true;
  reading.next = std::max<std::int64_t>(committed.position, 0);
  partition.tracker = kafka::OffsetTracker(reading.next);
  read_metadata(partition, committed.metadata);
  readings_[name] = std::move(reading);
  read_soon(name);
}

/// Running jobs run on under their leases; what waits here belongs to the next owner.
void MemoryJobQueue::revoked(const Name& name) {
  const auto found = readings_.find(name);
  if (found != readings_.end()) commit(name, *found->second.partition);
  drop(name);
  link_.tell([&broker = broker_, member = member_, name] { broker.released(member.get(), name); });
}

void MemoryJobQueue::drop(const Name& name) {
  const auto found = readings_.find(name);
  if (found == readings_.end()) return;
  found->second.partition->owned = false;
  lanes_.forget(found->second.partition.get());
  readings_.erase(found);
}

/// The group has given us up: what was ours is others'.
void MemoryJobQueue::lose_all() {
  while (!readings_.empty()) drop(Name(readings_.begin()->first));
  joined_ = false;
  tick_now_.notify();
}

void MemoryJobQueue::commit() {
  for (auto& [name, reading] : readings_) commit(name, *reading.partition);
}

void MemoryJobQueue::commit(const Name& name, kafka::Partition& partition) {
  if (!partition.tracker.moved_since_commit()) return;
  const memory::Commit said{partition.tracker.position(), metadata_of(partition)};
  partition.tracker.committed();
  link_.tell([&broker = broker_, member = member_, name, said] {
    broker.commit(member.get(), name, said);
  });
}

// --- records

void MemoryJobQueue::read_soon(const Name& name) {
  const auto found = readings_.find(name);
  if (found == readings_.end() || leaving_) return;
  if (found->second.asking) {
    found->second.more = true;
    return;
  }
  found->second.asking = true;
  tasks_.start(read(name));
}

Task<> MemoryJobQueue::read(Name name) {
  for (;;) {
    auto found = readings_.find(name);
    if (found == readings_.end()) co_return;
    const auto asked_for = found->second.partition;
    const std::int64_t from = found->second.next;
    found->second.more = false;
    auto there = [&broker = broker_, name, from] {
      return Result<std::vector<memory::Record>>(broker.fetch(name, from, fetch_records_max));
    };
    auto records = co_await memory::ask<std::vector<memory::Record>>(
        link_, std::move(there), clock_.now() + limits::log_command_timeout);
    found = readings_.find(name);
    // Gone; or given to others and back meanwhile, and read anew.
    if (found == readings_.end() || found->second.partition != asked_for) co_return;
    if (!records) break;
    for (auto& record : *records) take(found->second, found->second.next++, std::move(record));
    hand_out();
    if (records->empty() && !found->second.more) break;
  }
  const auto found = readings_.find(name);
  if (found != readings_.end()) found->second.asking = false;
}

void MemoryJobQueue::take(Reading& reading, std::int64_t offset, memory::Record record) {
  kafka::Partition& partition = *reading.partition;
  if (!partition.tracker.take(offset)) return;
  kafka::Item item;
  item.partition = reading.partition;
  item.offset = offset;
  item.handle = next_handle_++;
  item.key = std::move(record.key);
  item.value = std::move(record.value);
  item.attempt = record.attempt;
  item.redelivered = offset < partition.delivered_to;
  item.origin = std::move(record.origin);
  if (!reading.is_tier) {
    lanes_.add(std::move(item));
    return;
  }
  const auto wait =
      std::chrono::milliseconds(std::max<std::int64_t>(record.due_ms - ms_of(clock_.wall()), 0));
  reading.not_due.emplace(clock_.now() + wait, std::move(item));
}

void MemoryJobQueue::return_due(Instant now) {
  for (auto& [name, reading] : readings_) {
    auto& waiting = reading.not_due;
    while (!waiting.empty() && waiting.begin()->first <= now) {
      kafka::Item item = std::move(waiting.begin()->second);
      waiting.erase(waiting.begin());
      memory::Record record{.key = std::move(item.key),
                            .value = std::move(item.value),
                            .attempt = item.attempt,
                            .origin = {},
                            .reason = {}};
      std::vector<Copy> copies;
      copies.push_back({std::move(item.origin), std::move(record)});
      tasks_.start(finish_after(reading.partition, item.offset, std::move(copies)));
    }
  }
}

void MemoryJobQueue::hand_out() {
  if (leaving_) return;
  while (lanes_.in_flight_count() < options_.jobs_in_flight) {
    kafka::Item* item = lanes_.take();
    if (!item) return;
    item->partition->highest = std::max(item->partition->highest, item->offset);
    if (bugs_.commits_when_handed_out) item->partition->tracker.finish(item->offset);
    auto read = decode_envelope(item->value);
    Job* job = std::get_if<Job>(&read);
    if (!job) {
      finish(item->handle, {});
      continue;
    }
    inbox_.push_back({.job = std::move(*job),
                      .attempt = item->attempt,
                      .redelivered = item->redelivered || item->attempt > 1,
                      .handle = item->handle});
    arrived_.notify();
  }
}

Task<Result<Delivery>> MemoryJobQueue::next() {
  while (inbox_.empty()) {
    if (leaving_) co_return Failure(Errc::closed);
    co_await arrived_.wait();
  }
  Delivery delivery = std::move(inbox_.front());
  inbox_.pop_front();
  if (!inbox_.empty()) arrived_.notify();
  co_return delivery;
}

// --- what becomes of a delivery

Task<Result<>> MemoryJobQueue::produce(std::string topic, memory::Record record) {
  auto there = [&broker = broker_, topic = std::move(topic), record = std::move(record)] {
    broker.produce(topic, record);
  };
  if (bugs_.accepts_before_stored) {
    link_.tell(std::move(there));
    co_await clock_.sleep_for(1ms);
    co_return Result<>{};
  }
  co_return co_await link_.call(std::move(there), clock_.now() + limits::produce_timeout);
}

Task<Result<>> MemoryJobQueue::enqueue(const Job& job) {
  memory::Record record{.key = job.key(), .value = job.envelope, .origin = {}, .reason = {}};
  co_return co_await produce(std::string(topics::for_job(job)), std::move(record));
}

MemoryJobQueue::Copy MemoryJobQueue::copy_of(const Delivery& delivery, std::string_view topic,
                                             std::uint32_t attempt) const {
  return {std::string(topic),
          {.key = delivery.job.key(),
           .value = delivery.job.envelope,
           .attempt = attempt,
           .origin = std::string(topics::for_job(delivery.job)),
           .reason = {}}};
}

Task<Result<>> MemoryJobQueue::settle(const Delivery& delivery, Verdict verdict,
                                      std::string result) {
  std::vector<Copy> copies;
  if (const auto* retry = std::get_if<Retry>(&verdict); retry && !bugs_.retry_is_dropped) {
    const Duration wait = retry->at - clock_.now();
    const bool in_place = !delivery.job.session.empty() && !bugs_.retry_frees_its_key;
    if (in_place || (delivery.job.session.empty() && wait <= options_.retry_in_memory_max)) {
      put_off(delivery, retry->at, true);
      co_return Result<>{};
    }
    copies.push_back(copy_of(delivery, retry_tier(wait), delivery.attempt + 1));
    copies.back().record.due_ms =
        ms_of(clock_.wall() + std::chrono::ceil<std::chrono::milliseconds>(wait));
  } else if (const auto* dead = std::get_if<Dead>(&verdict)) {
    copies.push_back(copy_of(delivery, topics::dead, delivery.attempt));
    copies.back().record.reason = dead->reason;
  }
  if (!result.empty())
    copies.push_back(
        {std::string(topics::results),
         {.key = delivery.job.id.str(), .value = std::move(result), .origin = {}, .reason = {}}});
  finish(delivery.handle, std::move(copies));
  hand_out();
  co_return Result<>{};
}

void MemoryJobQueue::release(const Delivery& delivery, Instant not_before) {
  put_off(delivery, not_before, false);
}

void MemoryJobQueue::put_off(const Delivery& delivery, Instant until, bool counts) {
  kafka::Item* item = lanes_.in_flight(delivery.handle);
  if (!item) return;
  if (counts) ++item->attempt;
  item->redelivered = item->redelivered || counts || delivery.redelivered;
  if (item->partition->owned)
    lanes_.put_off(delivery.handle, until);
  else
    lanes_.finish(delivery.handle);
  if (until < tick_at_) tick_now_.notify();
  hand_out();
}

/// Frees the key at once; the record itself is finished when all that follows is acknowledged.
void MemoryJobQueue::finish(std::uint64_t handle, std::vector<Copy> copies) {
  const kafka::Item* item = lanes_.in_flight(handle);
  if (!item) return;
  if (!copies.empty())
    tasks_.start(finish_after(item->partition, item->offset, std::move(copies)));
  else if (item->partition->owned)
    item->partition->tracker.finish(item->offset);
  lanes_.finish(handle);
}

Task<> MemoryJobQueue::finish_after(std::shared_ptr<kafka::Partition> partition,
                                    std::int64_t offset, std::vector<Copy> copies) {
  const struct Counted {
    std::size_t& count;
    ~Counted() { --count; }
  } counted{++unfinished_};
  for (const auto& copy : copies) {
    Duration wait = again_first;
    auto sent = co_await produce(copy.topic, copy.record);
    while (!sent) {
      co_await clock_.sleep_for(wait);
      wait = std::min(2 * wait, again_max);
      sent = co_await produce(copy.topic, copy.record);
    }
  }
  if (partition->owned) partition->tracker.finish(offset);
}

}  // namespace millrace
