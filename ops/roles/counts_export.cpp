#include "ops/roles/counts_export.h"

namespace millrace {

void CountsExport::counter(std::string name, std::string meaning, Read read) {
  numbers_.push_back(
      {std::move(name), std::move(meaning), prometheus::MetricType::Counter, std::move(read)});
}

void CountsExport::gauge(std::string name, std::string meaning, Read read) {
  numbers_.push_back(
      {std::move(name), std::move(meaning), prometheus::MetricType::Gauge, std::move(read)});
}

std::vector<prometheus::MetricFamily> CountsExport::Collect() const {
  std::vector<prometheus::MetricFamily> families;
  for (const auto& number : numbers_) {
    prometheus::ClientMetric metric;
    if (number.type == prometheus::MetricType::Counter)
      metric.counter.value = number.read();
    else
      metric.gauge.value = number.read();
    families.push_back({number.name, number.meaning, number.type, {metric}});
  }
  return families;
}

}  // namespace millrace
