#include <atomic>
#include <cstdio>
#include <stdexcept>

#include "ops/roles/commands.h"
#include "ops/roles/edge_side.h"
#include "ops/roles/embedded_services.h"
#include "ops/roles/server_services.h"
#include "ops/roles/worker_side.h"
#include "shared/kafka/topic_admin.h"
#include "shared/postgres/postgres_store.h"
#include "shared/runtime/log.h"

namespace millrace {
namespace {

/// What to do next, for the person who started this, once.
class Greeting {
 public:
  void say(const std::string& url) {
    if (said_.exchange(true)) return;
    std::printf(
        "try: curl -N -H 'Accept: text/event-stream' -H 'Content-Type: application/json' "
        "-d '{\"input\":\"Why is the sky blue?\"}' "
        "%s/v1/jobs\n",
        url.c_str());
    std::fflush(stdout);
  }

 private:
  std::atomic<bool> said_ = false;
};

int run_all(const Config& config, Services& services) {
  if (config.llm_server_url.empty()) {
    std::printf("no model is configured: a simulator answers; LLM_SERVER_URL names a real one\n");
    std::fflush(stdout);
  }
  WorkerSide worker(config, services);
  EdgeSide edge(config, services, {&worker.counts()});
  Greeting greeting;
  auto roles = edge.roles([&greeting](const std::string& url) { greeting.say(url); });
  for (auto& role : worker.roles()) roles.push_back(std::move(role));
  return run_roles(roles);
}

int serve_embedded(const Config& config, Random& random) {
  EmbeddedServices services(config, random);
  return run_all(config, services);
}

/// Whoever starts the one process has no other that made the topics. Where they cannot be made now
/// it says so and starts: a Kafka that is away comes back, and topics can be made by others.
void make_topics(const Config& config) {
  const auto made =
      kafka::create_topics({config.kafka_brokers, config.kafka_properties}, config.topic_prefix);
  if (!made)
    log::warn("topics_not_made", {{"error", made.error()}});
  else if (!made->empty())
    log::info("topics_made", {{"topics", made->size()}, {"prefix", config.topic_prefix}});
}

int serve_on_servers(const Config& config, Random& random) {
  make_topics(config);
  ServerServices services(config, random, {.edge = true, .worker = true});
  return run_all(config, services);
}

}  // namespace

int run_serve(const Config& config) {
  if (config.kafka_brokers.empty() != config.redis_url.empty())
    throw std::invalid_argument(
        "KAFKA_BROKERS and REDIS_URL go together: name both to serve on them, or neither to keep "
        "everything in the data folder");
  if (config.kafka_brokers.empty() && postgres::is_url(config.database_url))
    throw std::invalid_argument(
        "DATABASE_URL names a Postgres, which goes with KAFKA_BROKERS and REDIS_URL: name them "
        "too, "
        "or a file, to keep everything in the data folder");
  SystemRandom random;
  return config.kafka_brokers.empty() ? serve_embedded(config, random)
                                      : serve_on_servers(config, random);
}

}  // namespace millrace
