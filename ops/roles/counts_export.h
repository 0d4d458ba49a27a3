#pragma once
#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "shared/runtime/histogram.h"

namespace millrace {

/// Numbers that their owners keep as plain atomics, as Prometheus reads them.
class CountsExport final : public prometheus::Collectable {
 public:
  using Read = std::function<double()>;

  /// Called before anybody collects; what `read` looks at outlives this.
  void counter(std::string name, std::string meaning, Read read);
  void histogram(std::string name, std::string meaning, const Histogram& values);
  void gauge(std::string name, std::string meaning, Read read);

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  struct Number {
    std::string name;
    std::string meaning;
    prometheus::MetricType type;
    Read read;
  };
  struct Distribution {
    std::string name;
    std::string meaning;
    const Histogram& values;
  };
  std::vector<Number> numbers_;
  std::vector<Distribution> distributions_;
};

/// How the exports read an atomic.
template <class T>
CountsExport::Read reading(const std::atomic<T>& value) {
  return [&value] { return static_cast<double>(value.load(std::memory_order_relaxed)); };
}

}  // namespace millrace
