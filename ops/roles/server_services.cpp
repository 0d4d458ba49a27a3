#include "ops/roles/server_services.h"

#include <stdexcept>

#include "shared/redis/event_log.h"
#include "shared/redis/shared_cache.h"
#include "shared/runtime/ids.h"
#include "shared/runtime/log.h"

namespace millrace {
namespace {

class LoopRedis final : public LoopLog {
 public:
  LoopRedis(Clock& clock, const Config& config)
      : log_(clock, {config.redis_url, config.events_ttl}) {}

  EventLog& log() override { return log_; }
  Task<> run() override { return log_.run(); }

 private:
  RedisEventLog log_;
};

/// A cache is asked on the way of a request: what does not answer soon is done without.
constexpr Duration cache_answer_max = 500ms;

class LoopRedisCache final : public LoopCache {
 public:
  LoopRedisCache(Clock& clock, const std::string& url) : cache_(clock, url, cache_answer_max) {}

  SharedCache& cache() override { return cache_; }
  Task<> run() override { return cache_.run(); }

 private:
  RedisSharedCache cache_;
};

/// Throws, with the remedy, unless both servers are named.
const Config& with_servers(const Config& config) {
  if (config.kafka_brokers.empty())
    throw std::invalid_argument("no queue: set KAFKA_BROKERS (host:port, comma-separated)");
  if (config.redis_url.empty())
    throw std::invalid_argument("no event log: set REDIS_URL (redis://host:port)");
  return config;
}

/// Good for this process's life where the configuration says nothing.
std::string secret_of(const Config& config, Random& random) {
  if (!config.secret.empty()) return config.secret;
  log::warn("secret_made_up",
            {{"remedy",
              "set MILLRACE_SECRET, the same on every edge: signed links outlive a restart then"}});
  return new_token(random).str();
}

KafkaQueueOptions queue_options(const Config& config, std::uint32_t taking_ports) {
  KafkaQueueOptions options;
  options.brokers = config.kafka_brokers;
  options.properties = config.kafka_properties;
  options.prefix = config.topic_prefix;
  options.group = config.group;
  options.taking_ports = taking_ports;
  options.jobs_in_flight = config.jobs_in_flight;
  return options;
}

}  // namespace

ServerServices::ServerServices(const Config& config, Random& random, Uses uses)
    : config_(with_servers(config)),
      link_signer_(uses.edge ? secret_of(config, random) : config.secret),
      store_(choose_store(config, random)),
      objects_(config, link_signer_) {
  if (uses.edge) edge_queue_.emplace(queue_options(config, 0));
  if (uses.worker) worker_queue_.emplace(queue_options(config, config.worker_threads));
}

std::unique_ptr<LoopLog> ServerServices::log(Clock& clock) {
  return std::make_unique<LoopRedis>(clock, config_);
}

std::unique_ptr<LoopCache> ServerServices::cache(Clock& clock) {
  return std::make_unique<LoopRedisCache>(clock, config_.redis_url);
}

bool ServerServices::queue_ready() const {
  return (!edge_queue_ || edge_queue_->ready()) && (!worker_queue_ || worker_queue_->ready());
}

void ServerServices::stop_taking() {
  if (worker_queue_) worker_queue_->stop_taking();
}

void ServerServices::export_counts(CountsExport& to) const {
  to.gauge("millrace_queue_ready", "1 while Kafka answers",
           [this] { return queue_ready() ? 1.0 : 0.0; });
  store_->export_counts(to);
  if (!worker_queue_) return;
  const auto& counts = worker_queue_->counts();
  to.gauge("millrace_queue_held_bytes", "Of records fetched and not finished",
           reading(counts.held_bytes));
  to.gauge("millrace_queue_paused", "1 while fetching is paused", reading(counts.paused));
  to.counter("millrace_queue_delivered_total", "Deliveries to workers", reading(counts.delivered));
  to.counter("millrace_queue_dead_total", "Dead letters written", reading(counts.dead));
  to.counter("millrace_queue_rebalances_total", "Rebalances", reading(counts.rebalances));
}

}  // namespace millrace
