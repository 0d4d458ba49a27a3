#include "shared/kafka/client_settings.h"

#include <gtest/gtest.h>

#include <array>

#include "shared/kafka/rdkafka_handles.h"

namespace millrace::kafka {
namespace {

std::string value_of(const ConfigHandle& config, const char* name) {
  std::array<char, 256> value{};
  auto size = value.size();
  return rd_kafka_conf_get(config.get(), name, value.data(), &size) == RD_KAFKA_CONF_OK
             ? value.data()
             : "?";
}

std::string refusal(const ClientSettings& settings) {
  try {
    make_config(settings);
  } catch (const std::invalid_argument& refused) {
    return refused.what();
  }
  return {};
}

TEST(ClientSettings, PropertiesOfTheUserComeLast) {
  const Properties of_the_producer{{"linger.ms", "1"}, {"acks", "all"}};
  const auto config = make_config({"a:1", {{"linger.ms", "20"}}}, of_the_producer);
  EXPECT_EQ(value_of(config, "linger.ms"), "20");
  EXPECT_EQ(value_of(config, "bootstrap.servers"), "a:1");
  EXPECT_EQ(value_of(config, "client.id"), "millrace");
}

TEST(ClientSettings, ARefusedPropertyIsNamed) {
  EXPECT_NE(refusal({"a:1", {{"no.such.thing", "1"}}}).find("'no.such.thing'"), std::string::npos);
  EXPECT_NE(refusal({"a:1", {{"linger.ms", "soon"}}}).find("'linger.ms'"), std::string::npos);
  EXPECT_EQ(refusal({"a:1", {{"security.protocol", "sasl_ssl"}}}), "");
}

TEST(ClientSettings, PropertiesThatContradictEachOtherAreRefusedWithAReason) {
  const Properties contradiction{{"enable.idempotence", "true"}, {"acks", "1"}};
  EXPECT_THROW(make_client(RD_KAFKA_PRODUCER, make_config({"a:1", contradiction})),
               std::invalid_argument);
}

TEST(ClientSettings, AClientStartsWithoutABroker) {
  EXPECT_TRUE(make_client(RD_KAFKA_PRODUCER, make_config({"127.0.0.1:1", {}})));
}

}  // namespace
}  // namespace millrace::kafka
