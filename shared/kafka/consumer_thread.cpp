#include "shared/kafka/consumer_thread.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

#include "shared/runtime/log.h"

namespace millrace::kafka {
namespace {

constexpr Duration commit_every = 500ms;
/// An idle topic would have us thrown out of the group after max.poll.interval.ms.
constexpr Duration poll_at_least_every = 1s;
/// Taking leave: for what was produced to be acknowledged, and for the group to let us go. With
/// the brokers away both pass, and what was not committed is delivered again.
constexpr Duration acknowledged_within = 3s;
constexpr Duration let_go_within = 5s;
constexpr int event_wait_ms = 50;

ConfigHandle consumer_config(const KafkaQueueOptions& options) {
  auto config = make_config({options.brokers, options.properties},
                            {{"group.id", options.group},
                             {"enable.auto.commit", "false"},
                             {"enable.auto.offset.store", "false"},
                             {"auto.offset.reset", "earliest"},
                             {"partition.assignment.strategy", "cooperative-sticky"},
                             {"session.timeout.ms", "10000"},
                             {"heartbeat.interval.ms", "1000"},
                             {"fetch.min.bytes", "1"},
                             {"fetch.error.backoff.ms", "100"},
                             {"queued.max.messages.kbytes", "16384"},
                             {"topic.metadata.refresh.interval.ms", "30000"}});
  rd_kafka_conf_set_events(config.get(), RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_OFFSET_COMMIT |
                                             RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_FETCH);
  return config;
}

}  // namespace

Consumer::Thread::Thread(const KafkaQueueOptions& options, Producer& producer,
                         KafkaQueueCounts& counts)
    : options_(options),
      producer_(producer),
      counts_(counts),
      client_(make_client(RD_KAFKA_CONSUMER, consumer_config(options_))) {
  rd_kafka_poll_set_consumer(client_.get());
  queue_.reset(rd_kafka_queue_get_consumer(client_.get()));
}

void Consumer::Thread::add(std::shared_ptr<Inbox> inbox) {
  const std::lock_guard lock(mutex_);
  inboxes_.push_back(std::move(inbox));
  if (inboxes_.size() == options_.taking_ports) thread_ = std::thread([this] { run(); });
}

void Consumer::Thread::tell(Settled settled) {
  const std::lock_guard lock(mutex_);
  settled_.push_back(std::move(settled));
  if (std::exchange(settled_posted_, true)) return;
  asio::post(loop_, [this] { take_settled(); });
}

void Consumer::Thread::stop_taking() {
  asio::post(loop_, [this] { unsubscribe(); });
}

Consumer::Thread::~Thread() {
  if (thread_.joinable()) {
    leaving_ = true;
    asio::post(loop_, [this] { nursery_.start(settle_up()); });
    thread_.join();
  }
  for (auto& asker : askers_) asker.join();
  queue_.reset();
  leave_group();
}

/// Gives what was settled last the time to be acknowledged, then commits it.
Task<> Consumer::Thread::settle_up() {
  closing_ = true;
  const Instant patience_ends = clock_.now() + acknowledged_within;
  while (unfinished_ > 0 && clock_.now() < patience_ends) co_await clock_.sleep_for(5ms);
  commit();
  // By post: a task that cancels itself and ends without another wait ends the process.
  asio::post(loop_, [this] { nursery_.stop(); });
}

/// rd_kafka_consumer_close() waits for brokers without end; this does not.
void Consumer::Thread::leave_group() {
  const Instant patience_ends = clock_.now() + let_go_within;
  {
    const Queue events(rd_kafka_queue_new(client_.get()));
    const KafkaError refused(rd_kafka_consumer_close_queue(client_.get(), events.get()));
    if (refused) log::warn("leave_refused", {{"error", rd_kafka_error_string(refused.get())}});
    while (!refused && !rd_kafka_consumer_closed(client_.get()) && clock_.now() < patience_ends) {
      const Event event(rd_kafka_queue_poll(events.get(), event_wait_ms));
      if (event && rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_REBALANCE)
        rd_kafka_assign(client_.get(), nullptr);
    }
  }
  if (rd_kafka_consumer_closed(client_.get())) return;
  log::warn("left_without_goodbye", {{"group", options_.group}});
  rd_kafka_destroy_flags(client_.release(), RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

void Consumer::Thread::run() {
  subscribe();
  asio::co_spawn(loop_, live(), [this](std::exception_ptr failure) {
    if (failure) log::error("consumer_stopped");
    for (const auto& inbox : inboxes_) Inbox::close(inbox);
    loop_.stop();
  });
  loop_.run();
}

void Consumer::Thread::subscribe() {
  TopicPartitions topics(rd_kafka_topic_partition_list_new(8));
  const auto subscribe_to = [&](std::string_view suffix) {
    rd_kafka_topic_partition_list_add(topics.get(), topics::full(options_.prefix, suffix).c_str(),
                                      RD_KAFKA_PARTITION_UA);
  };
  for (const auto suffix : topics::jobs) subscribe_to(suffix);
  for (const auto& tier : topics::retry_tiers) subscribe_to(tier.suffix);
  const auto error = rd_kafka_subscribe(client_.get(), topics.get());
  if (error) log::error("subscribe_failed", {{"error", rd_kafka_err2str(error)}});
}

/// The revocation that follows commits and forgets what waits.
void Consumer::Thread::unsubscribe() {
  if (closing_ || std::exchange(giving_up_, true)) return;
  for (const auto& inbox : inboxes_) Inbox::close(inbox);
  const auto error = rd_kafka_unsubscribe(client_.get());
  if (error) log::warn("unsubscribe_failed", {{"error", rd_kafka_err2str(error)}});
}

Task<> Consumer::Thread::live() {
  nursery_.start(on_events());
  nursery_.start(tick());
  co_await nursery_.join();
}

/// librdkafka writes a byte into a pipe when its queue is no longer empty.
Task<> Consumer::Thread::on_events() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
  asio::posix::basic_stream_descriptor<Executor> readable(loop_.get_executor(), ends[0]);
  struct WriteEnd {
    int fd;
    rd_kafka_queue_t* queue;
    ~WriteEnd() {
      rd_kafka_queue_io_event_enable(queue, -1, nullptr, 0);
      close(fd);
    }
  } write_end{ends[1], queue_.get()};
  rd_kafka_queue_io_event_enable(queue_.get(), ends[1], "1", 1);
  std::array<char, 256> bytes;
  for (;;) {
    poll();
    co_await readable.async_wait(asio::posix::descriptor_base::wait_read, use_task);
    boost::system::error_code ignored;
    readable.read_some(asio::buffer(bytes), ignored);
  }
}

Task<> Consumer::Thread::tick() {
  Instant poll_at = clock_.now() + poll_at_least_every;
  Instant commit_at = clock_.now() + commit_every;
  for (;;) {
    const Instant now = clock_.now();
    return_due(now);
    const Instant due = std::min(lanes_.wake(now), copies_.next());
    hand_out();
    if (now >= commit_at) {
      commit();
      commit_at = now + commit_every;
    }
    if (now >= poll_at) {
      poll();
      poll_at = now + poll_at_least_every;
    }
    tick_at_ = std::min(commit_at, std::max(due, now + 5ms));
    co_await tick_now_.wait_until(tick_at_);
  }
}

Consumer::Consumer(const KafkaQueueOptions& options, Producer& producer, KafkaQueueCounts& counts)
    : thread_(std::make_unique<Thread>(options, producer, counts)) {}
Consumer::~Consumer() = default;
void Consumer::add(std::shared_ptr<Inbox> inbox) {
  thread_->add(std::move(inbox));
}
void Consumer::stop_taking() {
  thread_->stop_taking();
}
void Consumer::tell(Settled settled) {
  thread_->tell(std::move(settled));
}

}  // namespace millrace::kafka
