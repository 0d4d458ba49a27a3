#include "shared/kafka/client_settings.h"

#include <array>
#include <stdexcept>

#include "shared/kafka/rdkafka_handles.h"
#include "shared/runtime/log.h"

namespace millrace::kafka {
namespace {

constexpr int syslog_critical = 2;
constexpr int syslog_warning = 4;
constexpr int syslog_info = 6;

/// A broker that is away is librdkafka's error and our warning: it comes back by itself.
log::Level level_of(int syslog_level) {
  if (syslog_level <= syslog_critical) return log::Level::error;
  if (syslog_level <= syslog_warning) return log::Level::warn;
  return syslog_level <= syslog_info ? log::Level::info : log::Level::debug;
}

void on_log(const rd_kafka_t* client, int level, const char* facility, const char* text) noexcept {
  log::write(level_of(level), "kafka_client",
             {{"client", rd_kafka_name(client)}, {"facility", facility}, {"text", text}});
}

void set(rd_kafka_conf_t* config, const std::string& name, const std::string& value) {
  std::array<char, 512> reason{};
  const auto set =
      rd_kafka_conf_set(config, name.c_str(), value.c_str(), reason.data(), reason.size());
  if (set != RD_KAFKA_CONF_OK) {
    throw std::invalid_argument("Kafka property '" + name + "' was refused: " + reason.data());
  }
}

}  // namespace

void DestroyConfig::operator()(rd_kafka_conf_s* config) const noexcept {
  rd_kafka_conf_destroy(config);
}

ConfigHandle make_config(const ClientSettings& settings, const Properties& defaults) {
  ConfigHandle config(rd_kafka_conf_new());
  rd_kafka_conf_set_log_cb(config.get(), on_log);
  set(config.get(), "bootstrap.servers", settings.brokers);
  const Properties every_client{
      {"client.id", "millrace"},
      {"log.connection.close", "false"},  // brokers close idle connections as a matter of course
      {"reconnect.backoff.max.ms", "1000"},
      {"socket.keepalive.enable", "true"},
      {"allow.auto.create.topics", "false"},
  };
  for (const auto* properties : {&every_client, &defaults, &settings.properties}) {
    for (const auto& [name, value] : *properties) set(config.get(), name, value);
  }
  return config;
}

Client make_client(rd_kafka_type_t type, ConfigHandle config) {
  std::array<char, 512> reason{};
  Client client(rd_kafka_new(type, config.get(), reason.data(), reason.size()));
  if (!client) throw std::invalid_argument(std::string("Kafka client: ") + reason.data());
  static_cast<void>(config.release());  // owned by the client from here on
  return client;
}

}  // namespace millrace::kafka
