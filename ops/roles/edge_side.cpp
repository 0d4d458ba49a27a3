#include "ops/roles/edge_side.h"

#include "ops/roles/open_door.h"

namespace millrace {
namespace {

void export_counts(CountsExport& to, const relay::RelayMetrics& relay) {
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
}

}  // namespace

EdgeSide::EdgeSide(const Config& config, Services& services,
                   std::vector<const prometheus::Collectable*> others)
    : ingress_metrics_(registry_),
      gate_metrics_(registry_),
      model_(config.llm_server_url, config.llm_api_key),
      shared_{config,
              services,
              {&registry_, &counts_},
              ingress_metrics_,
              gate_metrics_,
              relay_metrics_,
              relay::SignedUrls(services.link_signer()),
              model_,
              outbound::Guard(config.webhook_allow)} {
  refuse_open_door(config, services);
  http::require_free(config.host, config.port);
  export_counts(counts_, relay_metrics_);
  services.export_counts(counts_);
  shared_.metrics.insert(shared_.metrics.end(), others.begin(), others.end());
}

std::vector<MakeRole> EdgeSide::roles(std::function<void(const std::string& url)> on_listening) {
  shared_.on_listening = std::move(on_listening);
  return {shared_.config.edge_threads,
          [this](Loop& loop) { return std::make_unique<EdgeRole>(loop, shared_); }};
}

}  // namespace millrace
