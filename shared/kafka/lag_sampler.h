#pragma once
#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "shared/contract/topics.h"
#include "shared/job_queue.h"
#include "shared/kafka/client_settings.h"
#include "shared/kafka/key_partition.h"

namespace millrace::kafka {

/// How full the jobs topics are, for a process that only produces. A thread asks the brokers each
/// second: three requests for all topics together, whatever the traffic.
class LagSampler {
 public:
  /// Starts without a broker. Throws std::invalid_argument for a refused property.
  LagSampler(const ClientSettings& settings, std::string prefix, std::string group);
  /// Waits for the request under way, at most some seconds.
  ~LagSampler();
  LagSampler(const LagSampler&) = delete;
  LagSampler& operator=(const LagSampler&) = delete;

  /// The partition that `key` goes to in the jobs topic with this suffix, as of the last second;
  /// nothing while it is not known (no sample yet, none for 10 s, no such topic). What the group
  /// finished beyond its committed position is not waiting, as far as its commit tells. From any
  /// thread; touches no network.
  std::optional<QueueLag> lag(std::string_view topic_suffix, std::string_view key) const;
  /// All jobs topics together, as far as they are known; nothing while none is.
  std::optional<QueueLag> lag_of_all() const;

 private:
  class Asker;
  /// Of each topic one entry a partition; empty while nothing is known.
  using Lags = std::array<std::vector<std::optional<QueueLag>>, topics::jobs.size()>;

  void run(Asker& asker);
  /// False once it is time to stop.
  bool wait_a_second();

  mutable std::mutex mutex_;
  Lags lags_;              ///< guarded
  bool stopping_ = false;  ///< guarded
  std::condition_variable stop_;
  std::unique_ptr<Asker> asker_;
  std::thread thread_;
};

}  // namespace millrace::kafka
