#include <boost/asio/post.hpp>
#include <cstring>

#include "shared/kafka/consumer_thread.h"
#include "shared/runtime/log.h"

namespace millrace::kafka {
namespace {

constexpr int committed_timeout_ms = 5000;
/// Nothing waits longer than a job may live, whatever its header says.
constexpr std::int64_t due_ms_max = std::chrono::milliseconds(limits::deadline_max).count();
/// Records taken before anything else on the thread has its turn.
constexpr std::size_t events_together = 1000;
constexpr std::string_view delivered_mark = "d";  ///< `d<offset>;` in front of the hint

std::string header(const rd_kafka_message_t* message, const char* name) {
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(message, &headers)) return {};
  const void* value = nullptr;
  std::size_t bytes = 0;
  if (rd_kafka_header_get_last(headers, name, &value, &bytes)) return {};
  return std::string(static_cast<const char*>(value), bytes);
}

std::int64_t number(const std::string& text, std::int64_t otherwise) {
  char* end = nullptr;
  const auto value = std::strtoll(text.c_str(), &end, 10);
  return text.empty() || *end != '\0' ? otherwise : value;
}

std::int64_t delivered_to(const Partition& partition) {
  return std::max(partition.highest + 1, partition.delivered_to);
}

/// Something to tell the group: what finished, or what somebody may have begun by now.
bool news_of(const Partition& partition) {
  return partition.tracker.moved_since_commit() || partition.commit_failed ||
         delivered_to(partition) > partition.committed_to;
}

/// The commit's metadata: how far records had been handed out, and which had finished.
std::string metadata_of(const Partition& partition) {
  std::string text(delivered_mark);
  text += std::to_string(delivered_to(partition)) + ";";
  return text + partition.tracker.hint(limits::commit_metadata_bytes_max - text.size());
}

void read_metadata(Partition& partition, std::string_view text) {
  if (!text.starts_with(delivered_mark)) return;
  const auto end = text.find(';');
  if (end == std::string_view::npos) return;
  partition.delivered_to = number(std::string(text.substr(1, end - 1)), 0);
  partition.committed_to = partition.delivered_to;
  partition.tracker.apply_hint(text.substr(end + 1));
}

void add_commit(rd_kafka_topic_partition_list_t* list, const Partition& partition) {
  auto* at = rd_kafka_topic_partition_list_add(list, partition.topic.c_str(), partition.number);
  at->offset = partition.tracker.position();
  const std::string metadata = metadata_of(partition);
  at->metadata = strdup(metadata.c_str());  // freed by librdkafka with the list
  at->metadata_size = metadata.size();
}

}  // namespace

/// librdkafka wakes us only when its queue is no longer empty: what is left, we come back for.
void Consumer::Thread::poll() {
  for (std::size_t taken = 0; !closing_; ++taken) {
    if (taken == events_together) {
      asio::post(loop_, [this] { poll(); });
      break;
    }
    const Event event(rd_kafka_queue_poll(queue_.get(), 0));
    if (!event) break;
    take_event(event.get());
    // What librdkafka has fetched of a paused partition it drops: memory stays bounded.
    if (held_bytes() > limits::queue_memory_bytes_max || too_many_copies()) pace();
  }
  return_due(clock_.now());
  hand_out();
  pace();
}

void Consumer::Thread::take_event(rd_kafka_event_t* event) {
  switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_FETCH:
      while (const auto* message = rd_kafka_event_message_next(event)) take_message(message);
      break;
    case RD_KAFKA_EVENT_REBALANCE:
      take_rebalance(event);
      break;
    case RD_KAFKA_EVENT_OFFSET_COMMIT:
      take_commit_result(event);
      break;
    case RD_KAFKA_EVENT_ERROR:
      log::warn("kafka_error", {{"error", rd_kafka_event_error_string(event)}});
      break;
    default:
      break;
  }
}

void Consumer::Thread::take_message(const rd_kafka_message_t* message) {
  if (message->err) return;  // e.g. a partition that has gone: the rebalance says so
  const auto found = partitions_.find(Name(rd_kafka_topic_name(message->rkt), message->partition));
  if (found == partitions_.end()) return;
  Partition& partition = *found->second;
  if (!partition.positioned) {
    partition.tracker = OffsetTracker(message->offset);
    partition.positioned = true;
  }
  if (!partition.tracker.take(message->offset)) return;
  Item item;
  item.partition = found->second;
  item.offset = message->offset;
  item.handle = next_handle_++;
  item.key.assign(static_cast<const char*>(message->key), message->key_len);
  item.value.assign(static_cast<const char*>(message->payload), message->len);
  item.attempt = static_cast<std::uint32_t>(
      std::max<std::int64_t>(1, number(header(message, topics::attempt_header), 1)));
  item.redelivered = message->offset < partition.delivered_to;
  item.origin = header(message, topics::origin_header);
  item.waited_for_upgrade = header(message, topics::reason_header) == unknown_version;
  if (partition.tier_delay > Duration::zero()) {
    const auto due_ms = number(header(message, topics::due_header), 0);
    const auto now_ms = clock_.wall().time_since_epoch().count();
    const auto wait_ms = std::clamp<std::int64_t>(due_ms, now_ms, now_ms + due_ms_max) - now_ms;
    take_retry(found->second, std::move(item), clock_.now() + std::chrono::milliseconds(wait_ms));
    return;
  }
  lanes_.add(std::move(item));
}

void Consumer::Thread::take_rebalance(rd_kafka_event_t* event) {
  auto* list = rd_kafka_event_topic_partition_list(event);
  counts_.rebalances.fetch_add(1, std::memory_order_relaxed);
  if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    assign_when_known(TopicPartitions(rd_kafka_topic_partition_list_copy(list)));
    return;
  }
  revoke(list, rd_kafka_assignment_lost(client_.get()) != 0);
}

/// Asking for committed offsets blocks, so somebody else does; we poll on meanwhile.
void Consumer::Thread::assign_when_known(TopicPartitions wanted) {
  const auto asker = askers_.emplace(askers_.end());
  *asker = std::thread([this, asker, asked = std::move(wanted)]() mutable {
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__FAIL;
    for (int tries = 0; error && tries < 5 && !leaving_; ++tries)
      error = rd_kafka_committed(client_.get(), asked.get(), committed_timeout_ms);
    if (error) log::warn("committed_unknown", {{"error", rd_kafka_err2str(error)}});
    // A posted function must be copyable; the list is owned by exactly one of its copies' calls.
    auto answer = std::make_shared<TopicPartitions>(std::move(asked));
    asio::post(loop_, [this, asker, answer] {
      asker->join();
      askers_.erase(asker);
      assign(std::move(*answer));
    });
  });
}

void Consumer::Thread::assign(TopicPartitions with_offsets) {
  if (closing_) return;
  for (int i = 0; i < with_offsets->cnt; ++i) {
    const auto& at = with_offsets->elems[i];
    auto partition = std::make_shared<Partition>();
    partition->topic = at.topic;
    partition->number = at.partition;
    for (const auto& tier : topics::retry_tiers)
      if (partition->topic == topics::full(options_.prefix, tier.suffix))
        partition->tier_delay = tier.delay;
    if (at.offset >= 0) {
      partition->tracker = OffsetTracker(at.offset);
      partition->positioned = true;
      if (at.metadata)
        read_metadata(*partition, {static_cast<const char*>(at.metadata), at.metadata_size});
    }
    partitions_[{partition->topic, partition->number}] = std::move(partition);
  }
  const KafkaError error(rd_kafka_incremental_assign(client_.get(), with_offsets.get()));
  if (error) {
    // The group took them away while we asked; a new assignment follows.
    log::warn("assign_failed", {{"error", rd_kafka_error_string(error.get())}});
    for (int i = 0; i < with_offsets->cnt; ++i)
      partitions_.erase({with_offsets->elems[i].topic, with_offsets->elems[i].partition});
    return;
  }
  all_paused_ = false;
  log::info("partitions_assigned", {{"count", with_offsets->cnt}, {"now", partitions_.size()}});
}

/// Running jobs run on under their leases; what waits here belongs to the next owner.
void Consumer::Thread::revoke(const rd_kafka_topic_partition_list_t* list, bool lost) {
  // Sent before the leave, on the same connection: the next owner reads it.
  if (!lost) commit();
  for (int i = 0; i < list->cnt; ++i) {
    const auto found = partitions_.find({list->elems[i].topic, list->elems[i].partition});
    if (found == partitions_.end()) continue;
    found->second->owned = false;
    // librdkafka remembers a pause: it would still stand if the partition came back to us.
    set_paused(*found->second, false);
    lanes_.forget(found->second.get());
    copies_.forget(found->second.get());
    partitions_.erase(found);
  }
  rd_kafka_error_t* error = rd_kafka_incremental_unassign(client_.get(), list);
  if (error) {
    log::warn("unassign_failed", {{"error", rd_kafka_error_string(error)}});
    rd_kafka_error_destroy(error);
  }
  log::info("partitions_revoked",
            {{"count", list->cnt}, {"lost", lost}, {"now", partitions_.size()}});
}

/// Never waits: what is refused is committed again with the next.
void Consumer::Thread::commit() {
  TopicPartitions moved(rd_kafka_topic_partition_list_new(16));
  for (auto& [name, partition] : partitions_) {
    if (!partition->positioned || !news_of(*partition)) continue;
    add_commit(moved.get(), *partition);
    partition->tracker.committed();
    partition->commit_failed = false;
    partition->committed_to = delivered_to(*partition);
  }
  if (moved->cnt == 0) return;
  const auto error = rd_kafka_commit(client_.get(), moved.get(), 1);
  if (error) log::warn("commit_failed", {{"error", rd_kafka_err2str(error)}});
}

void Consumer::Thread::take_commit_result(rd_kafka_event_t* event) {
  const auto error = rd_kafka_event_error(event);
  if (!error || error == RD_KAFKA_RESP_ERR__NO_OFFSET) return;
  log::warn("commit_failed", {{"error", rd_kafka_event_error_string(event)}});
  const auto* list = rd_kafka_event_topic_partition_list(event);
  for (int i = 0; list && i < list->cnt; ++i) {
    const auto found = partitions_.find({list->elems[i].topic, list->elems[i].partition});
    if (found != partitions_.end()) found->second->commit_failed = true;
  }
}

std::size_t Consumer::Thread::held_bytes() const {
  return lanes_.bytes() + copies_.bytes() + unfinished_bytes_;
}

bool Consumer::Thread::too_many_copies() const {
  return !tiers_paused_ && copies_.bytes() > options_.waiting_copies_bytes_max;
}

/// Stops fetching while too much is held, and per partition while its window is used up.
void Consumer::Thread::pace() {
  const std::size_t held = held_bytes();
  counts_.held_bytes.store(static_cast<std::int64_t>(held), std::memory_order_relaxed);
  if (held > limits::queue_memory_bytes_max) all_paused_ = true;
  if (held < limits::queue_memory_bytes_max / 2) all_paused_ = false;
  if (too_many_copies()) tiers_paused_ = true;
  if (copies_.bytes() < options_.waiting_copies_bytes_max / 2) tiers_paused_ = false;
  counts_.paused.store(all_paused_ ? 1 : 0, std::memory_order_relaxed);
  for (auto& [name, partition] : partitions_)
    set_paused(*partition, all_paused_ || partition->tracker.full() ||
                               (tiers_paused_ && partition->tier_delay > Duration::zero()));
}

void Consumer::Thread::set_paused(Partition& partition, bool paused) {
  if (partition.paused == paused) return;
  partition.paused = paused;
  TopicPartitions one(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(one.get(), partition.topic.c_str(), partition.number);
  const auto error = paused ? rd_kafka_pause_partitions(client_.get(), one.get())
                            : rd_kafka_resume_partitions(client_.get(), one.get());
  if (error) log::warn("pause_failed", {{"error", rd_kafka_err2str(error)}});
}

}  // namespace millrace::kafka
