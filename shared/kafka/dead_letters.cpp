#include "shared/kafka/dead_letters.h"

#include <algorithm>
#include <map>
#include <stdexcept>

#include "shared/contract/envelope.h"
#include "shared/contract/redriven.h"
#include "shared/contract/topics.h"
#include "shared/kafka/producer.h"
#include "shared/kafka/rdkafka_handles.h"
#include "shared/runtime/log.h"
#include "shared/runtime/loop_clock.h"
#include "shared/runtime/nursery.h"

namespace millrace::kafka {
namespace {

using Metadata =
    std::unique_ptr<const struct rd_kafka_metadata, DestroyBy<rd_kafka_metadata_destroy>>;
using Topic = std::unique_ptr<rd_kafka_topic_t, DestroyBy<rd_kafka_topic_destroy>>;

constexpr int answer_wait_ms = 10'000;
constexpr int ask_again_ms = 100;
constexpr Duration silence_max = 15s;
/// Sent side by side; their offsets are committed together.
constexpr std::size_t letters_together = 500;

/// Something the operator is told and that ends the run.
struct Stopped : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void stop_on(rd_kafka_resp_err_t error, const std::string& doing) {
  if (error) {
    throw Stopped("Kafka failed while " + doing + " (" + rd_kafka_err2str(error) +
                  "): see that the brokers at KAFKA_BROKERS are up, and run the command again.");
  }
}

std::string_view header(const rd_kafka_message_t* message, const char* name) {
  rd_kafka_headers_t* headers = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  if (rd_kafka_header_get_last(headers, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return {};
  return {static_cast<const char*>(value), size};
}

std::string_view key_of(const rd_kafka_message_t* message) {
  return {static_cast<const char*>(message->key), message->key_len};
}
std::string_view value_of(const rd_kafka_message_t* message) {
  return {static_cast<const char*>(message->payload), message->len};
}

/// A letter, and what is to be sent in its place.
struct Again {
  Redriven told;
  std::string topic;
  std::string key;
  std::string value;
  std::vector<Header> headers{{topics::attempt_header, "1"}};
  bool sent = false;
};

Task<> send_one(Clock& clock, Producer& producer, Again& again) {
  const auto sent =
      co_await producer.produce(clock, again.topic, again.key, again.value, again.headers);
  again.sent = sent.has_value();
}

class Redrive {
 public:
  Redrive(const ClientSettings& settings, const std::string& prefix,
          const std::optional<JobId>& only, const std::function<void(const Redriven&)>& tell)
      : prefix_(prefix),
        topic_(topics::full(prefix, topics::dead)),
        only_(only),
        tell_(tell),
        reader_(make_client(RD_KAFKA_CONSUMER, reader_config(settings, prefix))),
        producer_(settings) {
    rd_kafka_poll_set_consumer(reader_.get());
  }

  RedriveCount run() {
    assign();
    Instant heard = clock_.now();
    while (!ends_.empty()) {
      Message message(rd_kafka_consumer_poll(reader_.get(), 200));
      if (message) {
        heard = clock_.now();
        take(message.get());
      } else if (clock_.now() - heard > silence_max) {
        stop_on(RD_KAFKA_RESP_ERR__TIMED_OUT, "reading " + topic_);
      }
      if (again_.size() >= letters_together) send();
    }
    send();
    return count_;
  }

 private:
  static ConfigHandle reader_config(const ClientSettings& settings, const std::string& prefix) {
    ClientSettings ours = settings;  // a group configured for workers is not this one
    ours.properties["group.id"] = prefix + ".redrive";
    ours.properties["enable.auto.commit"] = "false";
    ours.properties["enable.partition.eof"] = "true";
    return make_config(ours);
  }

  int partitions();
  rd_kafka_resp_err_t ask_ends(int partition, std::int64_t& first, std::int64_t& end);
  void assign();
  void take(const rd_kafka_message_t* message);
  void take_letter(const rd_kafka_message_t* letter);
  void as_new_job(const Job& old, const rd_kafka_message_t* letter);
  void as_it_is(const rd_kafka_message_t* letter);
  void add(Again again, const rd_kafka_message_t* letter);
  void send();
  void note_sent();

  const std::string prefix_;
  const std::string topic_;
  const std::optional<JobId> only_;
  const std::function<void(const Redriven&)>& tell_;
  SystemRandom random_;
  asio::io_context loop_{1};
  LoopClock clock_{loop_};
  Nursery nursery_{clock_};
  Client reader_;
  Producer producer_;
  std::map<std::int32_t, std::int64_t> ends_;     ///< of the partitions not read to their end
  std::map<std::int32_t, std::int64_t> handled_;  ///< to commit once all of `again_` are sent
  std::vector<Again> again_;
  RedriveCount count_;
};

int Redrive::partitions() {
  const Topic topic(rd_kafka_topic_new(reader_.get(), topic_.c_str(), nullptr));
  const struct rd_kafka_metadata* found = nullptr;
  const auto error = rd_kafka_metadata(reader_.get(), 0, topic.get(), &found, answer_wait_ms);
  const Metadata owned(found);
  stop_on(error, "asking for " + topic_);
  if (found->topic_cnt != 1 || found->topics[0].err || found->topics[0].partition_cnt == 0) {
    throw Stopped("There is no topic '" + topic_ +
                  "': run `millrace migrate`, or correct the prefix.");
  }
  return found->topics[0].partition_cnt;
}

/// A partition that was just made or has just moved is refused by its leader for a moment.
rd_kafka_resp_err_t Redrive::ask_ends(int partition, std::int64_t& first, std::int64_t& end) {
  const auto deadline = clock_.now() + silence_max;
  for (;;) {
    const auto error = rd_kafka_query_watermark_offsets(reader_.get(), topic_.c_str(), partition,
                                                        &first, &end, answer_wait_ms);
    if (!error || clock_.now() >= deadline) return error;
    rd_kafka_poll(reader_.get(), ask_again_ms);
  }
}

void Redrive::assign() {
  const int count = partitions();
  const TopicPartitions all(rd_kafka_topic_partition_list_new(count));
  rd_kafka_topic_partition_list_add_range(all.get(), topic_.c_str(), 0, count - 1);
  if (!only_) {
    stop_on(rd_kafka_committed(reader_.get(), all.get(), answer_wait_ms), "asking what was sent");
  }
  const TopicPartitions unread(rd_kafka_topic_partition_list_new(count));
  for (int partition = 0; partition < count; ++partition) {
    std::int64_t first = 0;
    std::int64_t end = 0;
    stop_on(ask_ends(partition, first, end), "asking for the ends of " + topic_);
    const auto from = std::max(first, all->elems[partition].offset);  // negative: none committed
    if (from >= end) continue;
    ends_[partition] = end;
    rd_kafka_topic_partition_list_add(unread.get(), topic_.c_str(), partition)->offset = from;
  }
  stop_on(rd_kafka_assign(reader_.get(), unread.get()), "taking up " + topic_);
}

void Redrive::take(const rd_kafka_message_t* message) {
  const auto end = ends_.find(message->partition);
  if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    if (end != ends_.end()) ends_.erase(end);
    return;
  }
  if (message->err) {
    log::warn("dead_letter_read_failed", {{"error", rd_kafka_message_errstr(message)}});
    return;  // librdkafka tries again; silence ends the run
  }
  if (end == ends_.end() || message->offset >= end->second) return;  // came after the start
  handled_[message->partition] = message->offset + 1;
  if (message->offset + 1 == end->second) ends_.erase(end);
  take_letter(message);
}

void Redrive::take_letter(const rd_kafka_message_t* letter) {
  const auto read = decode_envelope(value_of(letter));
  const auto* const job = std::get_if<Job>(&read);
  if (only_ && (job ? job->id != *only_ : key_of(letter) != only_->str())) return;
  if (only_ && count_.sent + again_.size() > 0) return;  // its letter may have been written twice
  job ? as_new_job(*job, letter) : as_it_is(letter);
}

void Redrive::as_new_job(const Job& old, const rd_kafka_message_t* letter) {
  const auto now = clock_.wall();
  Job job = redriven(old, only_ ? new_job_id(now, random_) : redriven_id(old), now);
  Again again;
  again.topic = topics::full(prefix_, topics::for_job(job));
  again.key = job.key();
  again.value = job.envelope;
  again.headers.push_back({topics::kind_header, job.kind});
  if (!job.traceparent.empty()) again.headers.push_back({topics::trace_header, job.traceparent});
  again.told.from = old.id;
  again.told.job = std::move(job);
  add(std::move(again), letter);
}

void Redrive::as_it_is(const rd_kafka_message_t* letter) {
  const auto origin = header(letter, topics::origin_header);
  const bool ours = std::ranges::any_of(topics::jobs, [&](std::string_view suffix) {
    return origin == topics::full(prefix_, suffix);
  });
  if (!ours) {
    ++count_.skipped;
    log::warn("dead_letter_skipped",
              {{"partition", letter->partition}, {"offset", letter->offset}, {"origin", origin}});
    return;
  }
  Again again;
  again.topic = origin;
  again.key = key_of(letter);
  again.value = value_of(letter);
  if (const auto kind = header(letter, topics::kind_header); !kind.empty())
    again.headers.push_back({topics::kind_header, std::string(kind)});
  add(std::move(again), letter);
}

void Redrive::add(Again again, const rd_kafka_message_t* letter) {
  again.told.partition = letter->partition;
  again.told.offset = letter->offset;
  again_.push_back(std::move(again));
}

void Redrive::send() {
  for (auto& again : again_) nursery_.start(send_one(clock_, producer_, again));
  loop_.restart();
  loop_.run();  // returns when the last has ended
  std::size_t taken = 0;
  for (const auto& again : again_) {
    if (!again.sent) continue;
    ++taken;
    tell_(again.told);
  }
  count_.sent += taken;
  if (taken != again_.size()) {
    throw Stopped("Kafka did not take every letter (" + std::to_string(count_.sent) +
                  " were sent): see the log, and run the command again.");
  }
  again_.clear();
  note_sent();
}

void Redrive::note_sent() {
  if (only_ || handled_.empty()) return;
  const TopicPartitions done(rd_kafka_topic_partition_list_new(static_cast<int>(handled_.size())));
  for (const auto& [partition, offset] : handled_) {
    rd_kafka_topic_partition_list_add(done.get(), topic_.c_str(), partition)->offset = offset;
  }
  stop_on(rd_kafka_commit(reader_.get(), done.get(), 0), "noting what was sent");
  handled_.clear();
}

}  // namespace

std::expected<RedriveCount, std::string> redrive(const ClientSettings& settings,
                                                 const std::string& prefix,
                                                 const std::optional<JobId>& only,
                                                 const std::function<void(const Redriven&)>& tell) {
  try {
    return Redrive(settings, prefix, only, tell).run();
  } catch (const Stopped& stopped) {
    return std::unexpected(std::string(stopped.what()));
  } catch (const std::invalid_argument& refusal) {
    return std::unexpected(std::string(refusal.what()) + ": correct the configuration.");
  }
}

}  // namespace millrace::kafka
