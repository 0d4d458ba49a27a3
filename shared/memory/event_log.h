#pragma once
#include <map>
#include <memory>
#include <string>

#include "shared/memory/log_server.h"
#include "shared/runtime/clock.h"

namespace millrace {

/// The EventLog of one loop on a `memory::LogServer`. Two connections, as to Redis: one for
/// commands, one that only listens. Server and links outlive it.
class MemoryEventLog final : public EventLog {
 public:
  MemoryEventLog(Clock& clock, memory::LogServer& server, memory::Link& commands,
                 memory::Link& messages);
  ~MemoryEventLog() override;

  Task<Result<Accepted>> accept(const Job& job, std::string_view fingerprint,
                                std::string_view queued_line) override;
  void acknowledge(const Job& job) override;
  Task<Result<>> withdraw(const Job& job) override;
  Task<Result<>> forget(const JobId& id) override;
  Task<Result<Begun>> begin(const BeginRequest& request) override;
  Task<Result<Appended>> append(const AppendRequest& request) override;
  Task<Result<LogPage>> read(const JobId& id, Seq after) override;
  void watch(const JobId& id, LogWatcher& watcher) override;
  void unwatch(const JobId& id, LogWatcher& watcher) override;
  Task<Result<std::vector<JobId>>> session_jobs(std::string_view tenant,
                                                std::string_view session) override;
  void watch_session(std::string_view tenant, std::string_view session,
                     SessionWatcher& watcher) override;
  void unwatch_session(std::string_view tenant, std::string_view session,
                       SessionWatcher& watcher) override;
  Task<Result<LogState>> cancel(const JobId& id) override;
  void on_cancel(std::string_view worker, std::function<void(const JobId&)> heard) override;
  Task<Result<std::vector<std::optional<LogState>>>> states(std::span<const JobId> ids) override;
  Task<Result<std::string>> claim_store(std::string_view store_id) override;
  bool reachable() const override { return commands_.up(); }

 private:
  /// One that listens to a channel, whatever it listens for.
  struct Listener {
    std::function<void(const std::string&)> message;
    std::function<void()> subscribed;
    bool told = false;  ///< knows that the subscription stands
  };
  using Listeners = std::map<std::uint64_t, std::shared_ptr<Listener>>;

  std::uint64_t join(const std::string& channel, Listener listener);
  void leave(const std::string& channel, std::uint64_t number);
  void subscribe(const std::string& channel);
  void subscribed(const std::string& channel);
  void heard(const std::string& channel, const std::string& payload);
  void listen_again();
  Instant deadline() const;

  Clock& clock_;
  memory::LogServer& server_;
  memory::Link& commands_;
  memory::Link& messages_;
  std::uint64_t run_;  ///< of the server, as of the last connection
  std::shared_ptr<memory::Ear> ear_;
  std::map<std::string, Listeners> channels_;
  std::map<std::pair<std::string, const void*>, std::uint64_t> seats_;
  std::uint64_t joins_ = 0;
};

}  // namespace millrace
