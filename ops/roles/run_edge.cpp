#include <random>

#include "ops/roles/commands.h"
#include "ops/roles/edge_role.h"
#include "ops/roles/queue_options.h"
#include "ops/roles/run_roles.h"
#include "shared/runtime/log.h"

namespace millrace {
namespace {

/// Links made with a secret of this process end with it; other edges do not know it.
std::string secret(const Config& config, Random& random) {
  if (!config.secret.empty()) return config.secret;
  log::warn("secret_made_up",
            {{"remedy",
              "set MILLRACE_SECRET, the same on every edge: stream links outlive a restart then"}});
  return new_token(random).str();
}

void export_counts(CountsExport& to, const KafkaQueue& queue, const SqliteStore& store,
                   const relay::RelayMetrics& relay) {
  to.gauge("millrace_relay_connections", "Streams open now", reading(relay.connections));
  to.gauge("millrace_relay_jobs_watched", "Jobs followed now", reading(relay.jobs_watched));
  to.counter("millrace_relay_events_total", "Events sent to readers", reading(relay.events_sent));
  to.counter("millrace_relay_bytes_total", "Bytes sent to readers", reading(relay.bytes_sent));
  to.counter("millrace_relay_readers_cut_total", "Readers that were too slow",
             reading(relay.readers_cut));
  to.counter("millrace_relay_log_reads_total", "Pages read from the event log",
             reading(relay.log_reads));
  to.counter("millrace_relay_jumps_total", "Live events that were missing, then read",
             reading(relay.jumps));
  to.gauge("millrace_queue_ready", "1 while Kafka answers",
           [&queue] { return queue.ready() ? 1.0 : 0.0; });
  to.counter("millrace_store_commits_total", "Transactions committed",
             [&store] { return static_cast<double>(store.written().commits); });
  to.counter("millrace_store_rows_total", "Calls they carried",
             [&store] { return static_cast<double>(store.written().rows); });
}

}  // namespace

int run_edge(const Config& config) {
  require_servers(config);
  SystemRandom random;
  prometheus::Registry registry;
  IngressMetrics ingress_metrics(registry);
  relay::RelayMetrics relay_metrics;
  KafkaQueue queue(queue_options(config, 0));
  SqliteStore store(config.database_url, random);
  CountsExport counts;
  export_counts(counts, queue, store, relay_metrics);
  EdgeShared shared{config,
                    queue,
                    store,
                    {&registry, &counts},
                    ingress_metrics,
                    relay_metrics,
                    relay::SignedUrls(secret(config, random))};
  const std::vector<MakeRole> roles(config.edge_threads, [&shared](Loop& loop) {
    return std::make_unique<EdgeRole>(loop, shared);
  });
  return run_roles(roles);
}

}  // namespace millrace
