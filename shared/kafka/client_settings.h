#pragma once
#include <map>
#include <memory>
#include <string>

struct rd_kafka_conf_s;  // librdkafka's header stays in the units that talk to it

namespace millrace::kafka {

/// How to reach a cluster; the same for every client of a process.
struct ClientSettings {
  std::string brokers;                            ///< `host:port,host:port`
  std::map<std::string, std::string> properties;  ///< librdkafka names, applied last
};

struct DestroyConfig {
  void operator()(rd_kafka_conf_s* config) const noexcept;
};
using ConfigHandle = std::unique_ptr<rd_kafka_conf_s, DestroyConfig>;

using Properties = std::map<std::string, std::string>;

/// The configuration of one client: what every client of ours has (its lines go to our log, none
/// to stderr; it reconnects within a second), then `defaults` of the kind of client, then
/// `settings.properties`. Throws std::invalid_argument naming the property librdkafka refuses.
ConfigHandle make_config(const ClientSettings& settings, const Properties& defaults = {});

}  // namespace millrace::kafka
