#include "shared/kafka/lag_sampler.h"

#include <algorithm>

#include "shared/kafka/offset_tracker.h"
#include "shared/kafka/rdkafka_handles.h"
#include "shared/runtime/log.h"
#include "shared/runtime/loop_clock.h"
#include "shared/runtime/rate_window.h"

namespace millrace::kafka {
namespace {

using Metadata =
    std::unique_ptr<const struct rd_kafka_metadata, DestroyBy<rd_kafka_metadata_destroy>>;

constexpr Duration sample_every = 1s;
constexpr Duration stale_after = 10s;
constexpr Duration layout_every = 30s;  ///< topics may be created, and given more partitions
constexpr int answer_wait_ms = 2000;
// As a time to look up, in Kafka's ListOffsets request: the first and the last of a partition.
constexpr std::int64_t earliest = -2;
constexpr std::int64_t latest = -1;

TopicPartitions copy_with_offset(const TopicPartitions& list, std::int64_t offset) {
  TopicPartitions copy(rd_kafka_topic_partition_list_copy(list.get()));
  for (int i = 0; i < copy->cnt; ++i) copy->elems[i].offset = offset;
  return copy;
}

std::string_view metadata_of(const rd_kafka_topic_partition_t& committed) {
  return {static_cast<const char*>(committed.metadata), committed.metadata_size};
}

}  // namespace

/// The thread's side: the client, and what it remembers between samples.
class LagSampler::Asker {
 public:
  Asker(const ClientSettings& settings, std::string prefix, const std::string& group)
      : prefix_(std::move(prefix)),
        client_(make_client(RD_KAFKA_CONSUMER, config(settings, group))) {}

  /// Nothing when a broker did not answer in time.
  std::optional<Lags> ask();
  Instant now() const { return clock_.now(); }

 private:
  static ConfigHandle config(ClientSettings settings, const std::string& group) {
    settings.properties["group.id"] = group;  // whose offsets are asked for; it is not joined
    settings.properties["enable.auto.commit"] = "false";
    return make_config(settings);
  }

  bool learn_layout();
  bool ask_offsets(const TopicPartitions& list);
  void take(const TopicPartitions& ends, const TopicPartitions& firsts,
            const TopicPartitions& committed, Lags& lags);

  const std::string prefix_;
  Client client_;
  asio::io_context unused_loop_{1};
  LoopClock clock_{unused_loop_};
  TopicPartitions layout_;  ///< every partition of the jobs topics
  std::array<std::vector<RateWindow>, topics::jobs.size()> rates_;
  Instant layout_known_{};
};

bool LagSampler::Asker::learn_layout() {
  const struct rd_kafka_metadata* found = nullptr;
  if (rd_kafka_metadata(client_.get(), 1, nullptr, &found, answer_wait_ms)) return false;
  const Metadata owned(found);
  layout_.reset(rd_kafka_topic_partition_list_new(48));
  for (std::size_t i = 0; i < topics::jobs.size(); ++i) {
    const auto name = topics::full(prefix_, topics::jobs[i]);
    for (int t = 0; t < found->topic_cnt; ++t) {
      const auto& topic = found->topics[t];
      if (name != topic.topic || topic.err || topic.partition_cnt == 0) continue;
      rates_[i].resize(static_cast<std::size_t>(topic.partition_cnt));
      rd_kafka_topic_partition_list_add_range(layout_.get(), name.c_str(), 0,
                                              topic.partition_cnt - 1);
    }
  }
  layout_known_ = now();
  return true;
}

bool LagSampler::Asker::ask_offsets(const TopicPartitions& list) {
  return !rd_kafka_offsets_for_times(client_.get(), list.get(), answer_wait_ms);
}

std::optional<LagSampler::Lags> LagSampler::Asker::ask() {
  const bool stale = !layout_ || layout_->cnt == 0 || now() - layout_known_ > layout_every;
  if (stale && !learn_layout()) return {};
  Lags lags;
  if (layout_->cnt == 0) return lags;
  // Committed first: what finishes between the two answers must not make the lag negative.
  const auto committed = copy_with_offset(layout_, RD_KAFKA_OFFSET_INVALID);
  if (rd_kafka_committed(client_.get(), committed.get(), answer_wait_ms)) return {};
  const auto ends = copy_with_offset(layout_, latest);
  if (!ask_offsets(ends)) return {};
  const auto firsts = copy_with_offset(layout_, earliest);
  if (!ask_offsets(firsts)) return {};
  take(ends, firsts, committed, lags);
  return lags;
}

void LagSampler::Asker::take(const TopicPartitions& ends, const TopicPartitions& firsts,
                             const TopicPartitions& committed, Lags& lags) {
  for (std::size_t i = 0; i < topics::jobs.size(); ++i) lags[i].resize(rates_[i].size());
  for (int n = 0; n < layout_->cnt; ++n) {
    const auto* const name = layout_->elems[n].topic;
    const auto partition = layout_->elems[n].partition;
    const auto* const end = rd_kafka_topic_partition_list_find(ends.get(), name, partition);
    const auto* const first = rd_kafka_topic_partition_list_find(firsts.get(), name, partition);
    const auto* const group = rd_kafka_topic_partition_list_find(committed.get(), name, partition);
    if (!end || end->err || !first || first->err || !group || group->err) continue;
    const auto topic = static_cast<std::size_t>(
        std::ranges::find_if(topics::jobs,
                             [&](auto suffix) { return topics::full(prefix_, suffix) == name; }) -
        topics::jobs.begin());
    const auto finished =
        std::max(first->offset, group->offset) + OffsetTracker::finished_in(metadata_of(*group));
    auto& rate = rates_[topic][static_cast<std::size_t>(partition)];
    rate.add(now(), finished);
    lags[topic][static_cast<std::size_t>(partition)] =
        QueueLag{.waiting = std::max<std::int64_t>(0, end->offset - finished),
                 .finished_per_s = rate.per_second()};
  }
}

LagSampler::LagSampler(const ClientSettings& settings, std::string prefix, std::string group)
    : asker_(std::make_unique<Asker>(settings, std::move(prefix), group)),
      thread_([this] { run(*asker_); }) {}

LagSampler::~LagSampler() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  thread_.join();
}

void LagSampler::run(Asker& asker) {
  Instant known = asker.now();
  do {
    auto lags = asker.ask();
    if (!lags && asker.now() - known > stale_after) lags = Lags{};
    if (!lags) continue;
    known = asker.now();
    const std::lock_guard lock(mutex_);
    lags_ = std::move(*lags);
  } while (wait_a_second());
}

bool LagSampler::wait_a_second() {
  std::unique_lock lock(mutex_);
  return !stop_.wait_for(lock, sample_every, [this] { return stopping_; });
}

std::optional<QueueLag> LagSampler::lag(std::string_view topic_suffix, std::string_view key) const {
  const auto topic = std::ranges::find(topics::jobs, topic_suffix);
  if (topic == topics::jobs.end()) return {};
  const std::lock_guard lock(mutex_);
  const auto& partitions = lags_[static_cast<std::size_t>(topic - topics::jobs.begin())];
  if (partitions.empty()) return {};
  const auto partition = murmur2_partition(key, static_cast<int>(partitions.size()));
  return partitions[static_cast<std::size_t>(partition)];
}

std::optional<QueueLag> LagSampler::lag_of_all() const {
  std::optional<QueueLag> all;
  const std::lock_guard lock(mutex_);
  for (const auto& topic : lags_) {
    for (const auto& partition : topic) {
      if (!partition) continue;
      if (!all) all.emplace();
      all->waiting += partition->waiting;
      all->finished_per_s += partition->finished_per_s;
    }
  }
  return all;
}

}  // namespace millrace::kafka
