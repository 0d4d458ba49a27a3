#include "shared/kafka/producer.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>

#include "shared/kafka/rdkafka_handles.h"
#include "shared/kafka/send.h"
#include "shared/runtime/limits.h"
#include "shared/runtime/log.h"
#include "shared/runtime/loop_clock.h"

namespace millrace::kafka {
namespace {

constexpr Duration away_before_refusing = 2s;
constexpr Duration flush_max = 5s;
constexpr Duration purge_max = 1s;
constexpr int wait_for_reports_ms = 100;
/// Twenty times what a broker near by takes for one.
constexpr Duration wave_patience = 5ms;
/// While the cluster is away the thread of the reports asks for it; reports wait as long.
constexpr int ask_cluster_ms = 200;
/// Posted together; more would only make the first of them wait.
constexpr std::size_t reports_together = 4096;

int in_ms(Duration time) {
  return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
}

Client new_client(const ClientSettings& settings) {
  const Properties defaults{
      {"enable.idempotence", "true"},
      {"acks", "all"},
      {"linger.ms", "0"},
      {"partitioner", "murmur2_random"},
      {"message.timeout.ms", std::to_string(in_ms(limits::produce_timeout))},
      // Shorter than the message's own time, so that a topic that is missing can be told.
      {"topic.metadata.propagation.max.ms", "5000"},
      // A topic that was missing is looked for again; by default after five minutes.
      {"topic.metadata.refresh.interval.ms", "10000"},
      {"queue.buffering.max.messages", "200000"},
      {"queue.buffering.max.kbytes", std::to_string(limits::queue_memory_bytes_max / 1024)},
  };
  auto config = make_config(settings, defaults);
  rd_kafka_conf_set_events(config.get(), RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
  return make_client(RD_KAFKA_PRODUCER, std::move(config));
}

/// No later try of the same record will fare better until somebody changes the cluster.
bool permanent(rd_kafka_resp_err_t error) {
  constexpr std::array errors{RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
                              RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
                              RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
                              RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION,
                              RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION,
                              RD_KAFKA_RESP_ERR_INVALID_RECORD,
                              RD_KAFKA_RESP_ERR_INVALID_MSG,
                              RD_KAFKA_RESP_ERR__INVALID_ARG,
                              RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
                              RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED};
  return std::ranges::find(errors, error) != errors.end();
}

Errc refusal(rd_kafka_resp_err_t error) {
  if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) return Errc::overloaded;
  return permanent(error) ? Errc::invalid : Errc::unavailable;
}

Result<> outcome(const rd_kafka_message_t* message) {
  const auto status = rd_kafka_message_status(message);
  if (!message->err || status == RD_KAFKA_MSG_STATUS_PERSISTED) return {};
  if (status == RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED) return Failure(Errc::timed_out);
  return Failure(permanent(message->err) ? Errc::invalid : Errc::unavailable);
}

void log_refusal(const char* topic, rd_kafka_resp_err_t error) {
  log::error("kafka_record_refused", {{"topic", topic}, {"error", rd_kafka_err2str(error)}});
}

}  // namespace

class Producer::State {
 public:
  explicit State(const ClientSettings& settings)
      : settings_(settings), client_(new_client(settings)), thread_([this] { run(); }) {}
  ~State();

  /// Takes it over; its Send is reported, whatever becomes of it.
  void send(Record record, Duration linger);
  bool ready() const { return reached_; }
  bool refusing() const { return refusing_; }

 private:
  void run();
  void wake_thread();
  void start_next_wave();
  rd_kafka_resp_err_t produce(const Record& record);
  int patience_ms();
  void take_reports(rd_kafka_t* client, int wait_ms);
  void take_reports_until_empty(rd_kafka_t* client, Instant deadline);
  void empty(rd_kafka_t* client);
  void take_event(rd_kafka_event_t* event);
  void take_error(rd_kafka_event_t* event);
  void look_for_cluster();
  void reached();
  void replace_client();

  const ClientSettings settings_;
  std::mutex gate_;  ///< of what follows: one wave is handed over after the other
  Client client_;    ///< changed by the thread alone, which reads it without the lock
  Waves waves_{wave_patience, limits::queue_memory_bytes_max};
  std::atomic<bool> reached_{false};
  std::atomic<bool> refusing_{false};
  std::atomic<bool> stopping_{false};

  // Of the thread.
  asio::io_context unused_loop_{1};
  LoopClock clock_{unused_loop_};
  std::optional<Instant> away_since_;
  bool broken_ = false;
  std::vector<Send*> reported_;
  std::thread thread_;
};

Producer::State::~State() {
  stopping_ = true;
  thread_.join();
}

void Producer::State::send(Record record, Duration linger) {
  record.leave_by = clock_.now() + linger;
  {
    const std::lock_guard lock(gate_);
    const bool first = !waves_.any_waiting();
    if (waves_.add(record)) {
      if (first && linger > 0s) wake_thread();
      return start_next_wave();
    }
  }
  std::vector<Send*> refused{record.send};
  record.send->result = Failure(Errc::overloaded);
  report(refused);
}

/// With the gate held: the thread has to look at the clock before the next report comes.
void Producer::State::wake_thread() {
  const Queue queue(rd_kafka_queue_get_main(client_.get()));
  rd_kafka_queue_yield(queue.get());
}

/// With the gate held.
void Producer::State::start_next_wave() {
  std::vector<Send*> refused;
  for (const auto& record : waves_.next(clock_.now())) {
    const auto error = produce(record);
    if (!error) continue;
    if (permanent(error)) log_refusal(record.topic.c_str(), error);
    record.send->result = Failure(refusal(error));
    waves_.ended(record.send->wave);
    refused.push_back(record.send);
  }
  if (!refused.empty()) report(refused);
}

/// What librdkafka says at once; without error there will be a report.
rd_kafka_resp_err_t Producer::State::produce(const Record& record) {
  constexpr std::size_t headers_max = 8;
  std::array<rd_kafka_vu_t, 6> all{};
  const auto& headers = record.headers;
  if (headers.size() > headers_max) return RD_KAFKA_RESP_ERR__INVALID_ARG;
  std::size_t count = 0;
  const auto add = [&](rd_kafka_vtype_t type) -> auto& {
    all[count].vtype = type;
    return all[count++].u;
  };
  const auto bytes = [](const std::string& text) { return const_cast<char*>(text.data()); };
  add(RD_KAFKA_VTYPE_TOPIC).cstr = record.topic.c_str();
  auto& key_bytes = add(RD_KAFKA_VTYPE_KEY).mem;
  key_bytes = {.ptr = record.key.empty() ? nullptr : bytes(record.key), .size = record.key.size()};
  auto& value_bytes = add(RD_KAFKA_VTYPE_VALUE).mem;
  value_bytes = {.ptr = bytes(record.value), .size = record.value.size()};
  add(RD_KAFKA_VTYPE_MSGFLAGS).i = RD_KAFKA_MSG_F_COPY;
  add(RD_KAFKA_VTYPE_OPAQUE).ptr = record.send;
  // As one list of ours: a refused record's single headers are freed twice by librdkafka 2.0.2.
  RecordHeaders list(rd_kafka_headers_new(headers.size()));
  for (const auto& header : headers)
    rd_kafka_header_add(list.get(), header.name, -1, header.value.data(),
                        static_cast<ssize_t>(header.value.size()));
  add(RD_KAFKA_VTYPE_HEADERS).headers = list.get();
  const KafkaError error(rd_kafka_produceva(client_.get(), all.data(), count));
  if (error) return rd_kafka_error_code(error.get());
  (void)list.release();  // the record's now
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

void Producer::State::run() {
  while (!stopping_) {
    take_reports(client_.get(), patience_ms());
    if (broken_) replace_client();
    if (!reached_) look_for_cluster();
  }
  take_reports_until_empty(client_.get(), clock_.now() + flush_max);
  empty(client_.get());
}

void Producer::State::take_reports(rd_kafka_t* client, int wait_ms) {
  const Queue queue(rd_kafka_queue_get_main(client));
  for (Event event(rd_kafka_queue_poll(queue.get(), wait_ms)); event;
       event.reset(rd_kafka_queue_poll(queue.get(), 0))) {
    take_event(event.get());
    if (reported_.size() >= reports_together) break;
  }
  const std::lock_guard lock(gate_);
  for (const auto* const send : reported_) waves_.ended(send->wave);
  start_next_wave();
  if (!reported_.empty()) report(reported_);
}

/// How long to wait for reports.
int Producer::State::patience_ms() {
  const std::lock_guard lock(gate_);
  if (!waves_.any_waiting()) return wait_for_reports_ms;
  const Duration until = waves_.leave_by() - clock_.now();
  return until > 0s ? in_ms(until) + 1 : in_ms(wave_patience);
}

void Producer::State::take_event(rd_kafka_event_t* event) {
  if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR) return take_error(event);
  while (const auto* message = rd_kafka_event_message_next(event)) {
    auto* const send = static_cast<Send*>(message->_private);
    send->result = outcome(message);
    if (send->result) {
      reached();
    } else if (permanent(message->err)) {
      log_refusal(rd_kafka_topic_name(message->rkt), message->err);
    }
    reported_.push_back(send);
  }
}

void Producer::State::take_error(rd_kafka_event_t* event) {
  const auto error = rd_kafka_event_error(event);
  if (rd_kafka_event_error_is_fatal(event)) {
    broken_ = true;
  } else if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && !away_since_) {
    away_since_ = clock_.now();
    reached_ = false;
    log::warn("kafka_away", {{"error", rd_kafka_event_error_string(event)}});
  }
}

/// Asks on its own account, so that a process without traffic also hears that the cluster is back.
void Producer::State::look_for_cluster() {
  const struct rd_kafka_metadata* found = nullptr;
  const auto error = rd_kafka_metadata(client_.get(), 0, nullptr, &found, ask_cluster_ms);
  if (!error) {
    rd_kafka_metadata_destroy(found);
    reached();
  } else if (away_since_ && clock_.now() - *away_since_ >= away_before_refusing) {
    refusing_ = true;
  }
}

void Producer::State::reached() {
  if (reached_) return;
  if (away_since_) log::info("kafka_back");
  away_since_.reset();
  refusing_ = false;
  reached_ = true;
}

/// An idempotent client whose sequence the broker no longer accepts never sends again.
void Producer::State::replace_client() {
  std::array<char, 512> reason{};
  rd_kafka_fatal_error(client_.get(), reason.data(), reason.size());
  log::error("kafka_producer_replaced", {{"reason", reason.data()}});
  auto other = new_client(settings_);
  {
    const std::lock_guard lock(gate_);
    client_.swap(other);
  }
  empty(other.get());
  reached_ = false;
  broken_ = false;
}

/// Ends every send the client still holds.
void Producer::State::empty(rd_kafka_t* client) {
  rd_kafka_purge(client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  take_reports_until_empty(client, clock_.now() + purge_max);
}

void Producer::State::take_reports_until_empty(rd_kafka_t* client, Instant deadline) {
  const auto anything_left = [&] {
    const std::lock_guard lock(gate_);
    return waves_.any_waiting() || rd_kafka_outq_len(client) > 0;
  };
  while (anything_left() && clock_.now() < deadline) take_reports(client, 10);
}

Producer::Producer(const ClientSettings& settings) : state_(std::make_unique<State>(settings)) {}
Producer::~Producer() = default;

bool Producer::ready() const {
  return state_->ready();
}

Task<Result<>> Producer::produce(Clock& clock, std::string topic, std::string key,
                                 std::string value, std::vector<Header> headers, Duration linger) {
  if (state_->refusing()) co_return Failure(Errc::unavailable);
  Ticket ticket(clock.loop());
  state_->send({.send = ticket.carry(),
                .topic = std::move(topic),
                .key = std::move(key),
                .value = std::move(value),
                .headers = std::move(headers),
                .leave_by = {}},
               linger);
  const auto result = co_await ticket.result();
  co_return result;
}

}  // namespace millrace::kafka
