#pragma once
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace millrace::conversations {

/// Whether the model's server can be reached, looked at now and then by a thread of its own: a
/// request that asks costs a load. Any answer but a gateway's 502, 503 or 504 is one of a server
/// that is there; what it can do its jobs will tell. One a process; any thread may ask.
class ModelProbe {
 public:
  /// `base_url` as the workers have it; empty: a simulator answers, which is never away.
  ModelProbe(const std::string& base_url, const std::string& api_key);
  ~ModelProbe();
  ModelProbe(const ModelProbe&) = delete;
  ModelProbe& operator=(const ModelProbe&) = delete;

  enum class Found : std::uint8_t { simulated, there, away };
  /// `there` until the first look has ended.
  Found found() const { return found_.load(std::memory_order_relaxed); }

 private:
  void look_again_and_again();
  void look();

  std::string url_;
  std::string authorization_;
  std::atomic<Found> found_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace millrace::conversations
