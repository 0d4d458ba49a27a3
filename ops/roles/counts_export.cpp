#include "ops/roles/counts_export.h"

#include <limits>

namespace millrace {
namespace {

prometheus::ClientMetric metric_of(const Histogram::Reading& reading) {
  prometheus::ClientMetric metric;
  metric.histogram.sample_count = reading.count;
  metric.histogram.sample_sum = reading.sum;
  for (const auto& [bound, up_to] : reading.buckets)
    metric.histogram.bucket.push_back({.cumulative_count = up_to, .upper_bound = bound});
  constexpr double any = std::numeric_limits<double>::infinity();
  metric.histogram.bucket.push_back({.cumulative_count = reading.count, .upper_bound = any});
  return metric;
}

}  // namespace

void CountsExport::counter(std::string name, std::string meaning, Read read) {
  numbers_.push_back(
      {std::move(name), std::move(meaning), prometheus::MetricType::Counter, std::move(read)});
}

void CountsExport::gauge(std::string name, std::string meaning, Read read) {
  numbers_.push_back(
      {std::move(name), std::move(meaning), prometheus::MetricType::Gauge, std::move(read)});
}

void CountsExport::histogram(std::string name, std::string meaning, const Histogram& values) {
  distributions_.push_back({std::move(name), std::move(meaning), values});
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
  for (const auto& [name, meaning, values] : distributions_)
    families.push_back(
        {name, meaning, prometheus::MetricType::Histogram, {metric_of(values.read())}});
  return families;
}

}  // namespace millrace
