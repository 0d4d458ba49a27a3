#include "shared/kafka/kafka_queue.h"

#include <algorithm>
#include <optional>

#include "shared/kafka/consumer.h"
#include "shared/kafka/lag_sampler.h"
#include "shared/kafka/producer.h"
#include "shared/runtime/log.h"

namespace millrace {
namespace {

using kafka::Header;
using kafka::Settled;

/// A client waits for its 202; results and copies do not, and larger batches spare the broker.
constexpr const char* linger_of_edge_ms = "0";
constexpr const char* linger_of_worker_ms = "25";

kafka::ClientSettings client_settings(const KafkaQueueOptions& options) {
  return {options.brokers, options.properties};
}

kafka::ClientSettings producer_settings(const KafkaQueueOptions& options) {
  auto settings = client_settings(options);
  settings.properties.try_emplace(
      "linger.ms", options.taking_ports > 0 ? linger_of_worker_ms : linger_of_edge_ms);
  return settings;
}

/// The shortest tier that covers the wait; the longest for longer ones, which then wait again.
std::string_view retry_tier(Duration wait) {
  for (const auto& tier : topics::retry_tiers)
    if (wait <= tier.delay) return tier.suffix;
  return topics::retry_tiers.back().suffix;
}

/// Workers read the trace in the envelope; in the header those see it who know no millrace.
std::vector<Header> headers_of(const Job& job, std::vector<Header> headers) {
  if (!job.traceparent.empty()) headers.push_back({topics::trace_header, job.traceparent});
  return headers;
}

}  // namespace

class KafkaQueue::State {
 public:
  explicit State(KafkaQueueOptions its_options)
      : options(std::move(its_options)), producer(producer_settings(options)) {
    if (options.taking_ports > 0)
      consumer.emplace(options, producer, counts);
    else
      lag.emplace(client_settings(options), options.prefix, options.group);
  }

  const KafkaQueueOptions options;
  KafkaQueueCounts counts;
  kafka::Producer producer;
  std::optional<kafka::Consumer> consumer;
  std::optional<kafka::LagSampler> lag;
};

namespace {

/// The queue as one loop sees it.
template <class State>
class Port final : public JobQueue {
 public:
  Port(State& state, Clock& clock)
      : state_(state), clock_(clock), inbox_(std::make_shared<kafka::Inbox>(clock)) {
    if (state_.consumer) state_.consumer->add(inbox_);
  }
  ~Port() override { inbox_->leave(); }

  Task<Result<>> enqueue(const Job& job) override {
    return produce(
        topics::for_job(job), job.key(), job.envelope,
        headers_of(job, {{topics::kind_header, job.kind}, {topics::attempt_header, "1"}}));
  }

  Task<Result<Delivery>> next() override { return inbox_->take(); }

  Task<Result<>> settle(const Delivery& delivery, Verdict verdict, std::string result) override {
    Settled settled{.handle = delivery.handle};
    if (const auto* retry = std::get_if<Retry>(&verdict)) {
      again(delivery, retry->at, settled);
    } else if (const auto* dead = std::get_if<Dead>(&verdict)) {
      state_.counts.dead.fetch_add(1, std::memory_order_relaxed);
      settled.consequences.push_back(
          copy_of(delivery, topics::dead, delivery.attempt, {topics::reason_header, dead->reason}));
    }
    if (!result.empty())
      settled.consequences.push_back({topics::full(state_.options.prefix, topics::results),
                                      delivery.job.id.str(),
                                      std::move(result),
                                      {},
                                      true});
    state_.consumer->tell(std::move(settled));
    co_return Result<>{};
  }

  void release(const Delivery& delivery, Instant not_before) override {
    state_.consumer->tell({.what = Settled::What::put_off,
                           .handle = delivery.handle,
                           .until = not_before,
                           .begun = delivery.redelivered});
  }

  std::optional<QueueLag> lag(const Job& job) override {
    if (!state_.lag) return std::nullopt;
    return state_.lag->lag(topics::for_job(job), job.key());
  }

 private:
  Task<Result<>> produce(std::string_view suffix, std::string key, std::string value,
                         std::vector<Header> headers) {
    return state_.producer.produce(clock_, topics::full(state_.options.prefix, suffix),
                                   std::move(key), std::move(value), std::move(headers));
  }

  /// A job with a session waits in place and holds back its key; another waits there, too, if it
  /// is not for long.
  void again(const Delivery& delivery, Instant at, Settled& settled) {
    const Duration wait = at - clock_.now();
    if (!delivery.job.session.empty() || wait <= state_.options.retry_in_memory_max) {
      settled.what = Settled::What::again;
      settled.until = at;
      return;
    }
    const auto due = clock_.wall() + std::chrono::ceil<std::chrono::milliseconds>(wait);
    settled.consequences.push_back(
        copy_of(delivery, retry_tier(wait), delivery.attempt + 1,
                {topics::due_header, std::to_string(due.time_since_epoch().count())}));
  }

  kafka::Consequence copy_of(const Delivery& delivery, std::string_view suffix,
                             std::uint32_t attempt, Header own) const {
    const std::string& prefix = state_.options.prefix;
    return {topics::full(prefix, suffix), delivery.job.key(), delivery.job.envelope,
            headers_of(delivery.job, {std::move(own),
                                      {topics::kind_header, delivery.job.kind},
                                      {topics::attempt_header, std::to_string(attempt)},
                                      {topics::origin_header,
                                       topics::full(prefix, topics::for_job(delivery.job))}})};
  }

  State& state_;
  Clock& clock_;
  std::shared_ptr<kafka::Inbox> inbox_;
};

}  // namespace

KafkaQueue::KafkaQueue(KafkaQueueOptions options)
    : state_(std::make_unique<State>(std::move(options))) {}
KafkaQueue::~KafkaQueue() = default;

std::unique_ptr<JobQueue> KafkaQueue::port(Clock& clock) {
  return std::make_unique<Port<State>>(*state_, clock);
}

void KafkaQueue::stop_taking() {
  if (state_->consumer) state_->consumer->stop_taking();
}

bool KafkaQueue::ready() const {
  return state_->producer.ready();
}
std::optional<QueueLag> KafkaQueue::lag_of_all() const {
  return state_->lag ? state_->lag->lag_of_all() : std::nullopt;
}
const KafkaQueueCounts& KafkaQueue::counts() const {
  return state_->counts;
}

}  // namespace millrace
