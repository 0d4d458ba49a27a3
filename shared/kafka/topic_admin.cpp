#include "shared/kafka/topic_admin.h"

#include <algorithm>
#include <array>
#include <span>
#include <stdexcept>

#include "shared/contract/topics.h"
#include "shared/kafka/rdkafka_handles.h"
#include "shared/runtime/limits.h"
#include "shared/runtime/loop_clock.h"

namespace millrace::kafka {
namespace {

using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, DestroyBy<rd_kafka_NewTopic_destroy>>;
using Options = std::unique_ptr<rd_kafka_AdminOptions_t, DestroyBy<rd_kafka_AdminOptions_destroy>>;
using Metadata =
    std::unique_ptr<const struct rd_kafka_metadata, DestroyBy<rd_kafka_metadata_destroy>>;

constexpr int metadata_wait_ms = 10'000;
constexpr int look_again_ms = 50;
constexpr int create_wait_ms = 30'000;
constexpr Duration leaders_wait = 15s;
constexpr int replicas_wanted = 3;
constexpr auto kept = limits::deadline_max + 7 * 24h;
constexpr auto dead_kept = 30 * 24h;
constexpr const char* correct_it = ": correct the configuration.";

struct Topic {
  std::string name;
  std::chrono::milliseconds kept_for;
};

std::vector<Topic> all_topics(const std::string& prefix) {
  std::vector<Topic> all;
  for (const auto suffix : topics::jobs) all.push_back({topics::full(prefix, suffix), kept});
  for (const auto& tier : topics::retry_tiers) {
    all.push_back({topics::full(prefix, tier.suffix), kept});
  }
  all.push_back({topics::full(prefix, topics::results), kept});
  all.push_back({topics::full(prefix, topics::dead), dead_kept});
  return all;
}

std::string unreachable(const ClientSettings& settings, rd_kafka_resp_err_t error) {
  return "No Kafka broker answers at " + settings.brokers + " (" + rd_kafka_err2str(error) +
         "): start it, or set KAFKA_BROKERS to where it listens.";
}

NewTopic describe(const Topic& topic, int brokers) {
  const int replicas = std::min(replicas_wanted, brokers);
  NewTopic made(
      rd_kafka_NewTopic_new(topic.name.c_str(), limits::partitions, replicas, nullptr, 0));
  if (!made) throw std::invalid_argument("'" + topic.name + "' is no name for a topic");
  const auto set = [&](const char* name, const std::string& value) {
    rd_kafka_NewTopic_set_config(made.get(), name, value.c_str());
  };
  set("cleanup.policy", "delete");
  set("unclean.leader.election.enable", "false");
  set("retention.ms", std::to_string(topic.kept_for.count()));
  if (replicas >= replicas_wanted) set("min.insync.replicas", "2");
  return made;
}

std::string refused(const std::string& topic, rd_kafka_resp_err_t error, const char* reason) {
  auto text = "Kafka refused to create the topic '" + topic +
              "': " + (reason ? reason : rd_kafka_err2str(error)) + ". ";
  if (error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
      error == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED) {
    return text + "Give this user the right to create topics, or create it by hand.";
  }
  return text + "Correct that on the brokers and run the command again.";
}

class TopicAdmin {
 public:
  TopicAdmin(const ClientSettings& settings, const std::string& prefix)
      : settings_(settings),
        wanted_(all_topics(prefix)),
        client_(make_client(RD_KAFKA_PRODUCER, make_config(settings))) {}

  std::expected<std::vector<std::string>, std::string> make() {
    const auto seen = look(metadata_wait_ms);
    if (!seen) return std::unexpected(unreachable(settings_, look_error_));
    const auto created = create(*seen);
    if (!created) return created;
    if (!wait_for_leaders()) {
      return std::unexpected(
          "The topics were created, but not every partition has a leader: wait until all brokers "
          "are up and run the command again.");
    }
    return created;
  }

  std::expected<TopicReport, std::string> inspect() {
    const auto seen = look(metadata_wait_ms);
    if (!seen) return std::unexpected(unreachable(settings_, look_error_));
    TopicReport report{.brokers = seen->broker_cnt, .wanted = wanted_.size()};
    for (const auto& wanted : wanted_) {
      const auto* const topic = find(*seen, wanted);
      if (!topic) report.missing.push_back(wanted.name);
      if (!topic) continue;
      if (!led(topic)) report.leaderless.push_back(wanted.name);
      for (const auto& partition : std::span(topic->partitions, topic->partition_cnt)) {
        const int replicas = partition.replica_cnt;
        report.replicas_least =
            report.replicas_least == 0 ? replicas : std::min(report.replicas_least, replicas);
      }
    }
    return report;
  }

 private:
  static bool led(const rd_kafka_metadata_topic* topic) {
    return topic && !topic->err && topic->partition_cnt > 0 &&
           std::all_of(topic->partitions, topic->partitions + topic->partition_cnt,
                       [](const rd_kafka_metadata_partition& p) { return p.leader >= 0; });
  }

  Metadata look(int wait_ms) {
    const struct rd_kafka_metadata* found = nullptr;
    look_error_ = rd_kafka_metadata(client_.get(), 1, nullptr, &found, wait_ms);
    return Metadata(found);
  }

  static const rd_kafka_metadata_topic* find(const struct rd_kafka_metadata& in,
                                             const Topic& topic) {
    const rd_kafka_metadata_topic* const begin = in.topics;
    const rd_kafka_metadata_topic* const end = begin + in.topic_cnt;
    const auto* const found = std::find_if(
        begin, end, [&](const rd_kafka_metadata_topic& t) { return topic.name == t.topic; });
    return found == end ? nullptr : found;
  }

  std::expected<std::vector<std::string>, std::string> create(const struct rd_kafka_metadata& seen);
  bool wait_for_leaders();

  const ClientSettings& settings_;
  const std::vector<Topic> wanted_;
  Client client_;
  rd_kafka_resp_err_t look_error_ = RD_KAFKA_RESP_ERR_NO_ERROR;
};

std::expected<std::vector<std::string>, std::string> TopicAdmin::create(
    const struct rd_kafka_metadata& seen) {
  std::vector<NewTopic> missing;
  for (const auto& topic : wanted_) {
    if (!find(seen, topic)) missing.push_back(describe(topic, seen.broker_cnt));
  }
  std::vector<std::string> created;
  if (missing.empty()) return created;

  const Options options(rd_kafka_AdminOptions_new(client_.get(), RD_KAFKA_ADMIN_OP_CREATETOPICS));
  std::array<char, 256> ignored{};
  rd_kafka_AdminOptions_set_operation_timeout(options.get(), create_wait_ms, ignored.data(),
                                              ignored.size());
  std::vector<rd_kafka_NewTopic_t*> raw;
  for (const auto& topic : missing) raw.push_back(topic.get());
  const Queue answers(rd_kafka_queue_new(client_.get()));
  rd_kafka_CreateTopics(client_.get(), raw.data(), raw.size(), options.get(), answers.get());
  const Event answer(rd_kafka_queue_poll(answers.get(), create_wait_ms));
  if (!answer) return std::unexpected(unreachable(settings_, RD_KAFKA_RESP_ERR__TIMED_OUT));
  if (const auto error = rd_kafka_event_error(answer.get())) {
    return std::unexpected(unreachable(settings_, error));
  }
  std::size_t count = 0;
  const auto* const* const results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(answer.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto error = rd_kafka_topic_result_error(results[i]);
    const std::string name = rd_kafka_topic_result_name(results[i]);
    if (!error) created.push_back(name);
    // Somebody else may have been faster.
    if (error && error != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
      return std::unexpected(refused(name, error, rd_kafka_topic_result_error_string(results[i])));
    }
  }
  return created;
}

bool TopicAdmin::wait_for_leaders() {
  asio::io_context unused_loop(1);
  const LoopClock clock(unused_loop);
  const auto deadline = clock.now() + leaders_wait;
  while (clock.now() < deadline) {
    const auto seen = look(1000);
    if (seen && std::ranges::all_of(wanted_, [&](auto& t) { return led(find(*seen, t)); })) {
      return true;
    }
    rd_kafka_poll(client_.get(), look_again_ms);
  }
  return false;
}

}  // namespace

std::expected<std::vector<std::string>, std::string> create_topics(const ClientSettings& settings,
                                                                   const std::string& prefix) {
  try {
    return TopicAdmin(settings, prefix).make();
  } catch (const std::invalid_argument& refusal) {
    return std::unexpected(std::string(refusal.what()) + correct_it);
  }
}

std::expected<TopicReport, std::string> inspect_topics(const ClientSettings& settings,
                                                       const std::string& prefix) {
  try {
    return TopicAdmin(settings, prefix).inspect();
  } catch (const std::invalid_argument& refusal) {
    return std::unexpected(std::string(refusal.what()) + correct_it);
  }
}

}  // namespace millrace::kafka
