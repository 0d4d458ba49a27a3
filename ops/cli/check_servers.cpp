#include <fmt/format.h>

#include <stdexcept>

#include "ops/cli/checks.h"
#include "shared/kafka/topic_admin.h"
#include "shared/postgres/examination.h"
#include "shared/postgres/postgres_store.h"
#include "shared/redis/inspection.h"
#include "shared/runtime/config_value.h"
#include "shared/sqlite/examination.h"

namespace millrace::cli {
namespace {

using Verdict = Check::Verdict;

std::string joined(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

Check topics(const kafka::TopicReport& report) {
  if (!report.missing.empty())
    return {"topics", Verdict::fail, "missing: " + joined(report.missing),
            "run `millrace migrate`; MILLRACE_TOPIC_PREFIX must be the same everywhere"};
  if (!report.leaderless.empty())
    return {"topics", Verdict::fail, "without a leader: " + joined(report.leaderless),
            "start the brokers that are missing"};
  const std::string says =
      fmt::format("{} topics, {} {} of each", report.wanted, report.replicas_least,
                  report.replicas_least == 1 ? "copy" : "copies");
  if (report.replicas_least < 2)
    return {"topics", Verdict::warn, says + ": with a broker's disk jobs are lost",
            "run three brokers or more and let `millrace migrate` make the topics there"};
  return {"topics", Verdict::ok, says};
}

Check keeps(const redis::Inspection& redis) {
  if (redis.role != "master")
    return {"redis", Verdict::fail, "this is a " + redis.role + ", which takes no writes",
            "name the primary by REDIS_URL"};
  if (!redis.append_only)
    return {"redis", Verdict::warn, "appendonly is off: a restart loses the events of every job",
            "set `appendonly yes`"};
  if (!redis.last_write.empty() && redis.last_write != "ok")
    return {"redis", Verdict::fail, "its append-only file cannot be written",
            "make room on Redis's disk, or mend it"};
  return {"redis", Verdict::ok, "version " + redis.version + ", append-only file on"};
}

Check evicts(const redis::Inspection& redis) {
  if (redis.eviction == "noeviction") return {"redis memory", Verdict::ok, "evicts nothing"};
  return {"redis memory", Verdict::fail,
          "maxmemory-policy is " + redis.eviction + ": a full Redis would drop events",
          "set `maxmemory-policy noeviction`"};
}

/// Empty where there is none.
std::string store_id(const std::string& database_url) {
  if (!postgres::is_url(database_url)) return sqlite::store_id(database_url);
  const auto found = postgres::examine(database_url);
  return found ? found->id : "";
}

Check belongs(const redis::Inspection& redis, const Config& config) {
  const auto store = store_id(config.database_url);
  if (redis.store_id.empty())
    return {"redis store", Verdict::ok, "belongs to no store yet: the first start claims it"};
  if (store == redis.store_id) return {"redis store", Verdict::ok, "belongs to this store"};
  return {
      "redis store", Verdict::fail,
      fmt::format("belongs to the store {}, {}", redis.store_id,
                  store.empty() ? "and there is none here" : "this one is " + store),
      "name the same DATABASE_URL everywhere, or another REDIS_URL, or delete the key mr:store-id "
      "if the old store is gone for good"};
}

std::expected<redis::Inspection, std::string> inspected(const std::string& url) {
  try {
    return redis::inspect(redis::parse_address(url));
  } catch (const std::invalid_argument& wrong) {
    return std::unexpected(wrong.what());
  }
}

}  // namespace

Checks check_kafka(const Config& config) {
  const auto report =
      kafka::inspect_topics({config.kafka_brokers, config.kafka_properties}, config.topic_prefix);
  if (!report)
    return {{"kafka", Verdict::fail, report.error(),
             "what librdkafka needs to log in is set by KAFKA_…: `millrace config` shows it"}};
  return {{"kafka", Verdict::ok,
           fmt::format("{} broker{} at {}", report->brokers, report->brokers == 1 ? "" : "s",
                       config.kafka_brokers)},
          topics(*report)};
}

Checks check_redis(const Config& config) {
  const auto redis = inspected(config.redis_url);
  if (!redis)
    return {{"redis", Verdict::fail,
             fmt::format("no Redis at {}: {}", config_value::without_password(config.redis_url),
                         redis.error()),
             "start it, or set REDIS_URL (redis://[user:password@]host[:port][/db])"}};
  return {keeps(*redis), evicts(*redis), belongs(*redis, config)};
}

}  // namespace millrace::cli
