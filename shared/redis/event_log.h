#pragma once
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "shared/event_log.h"
#include "shared/redis/scripts.h"
#include "shared/redis/subscriber.h"
#include "shared/runtime/limits.h"
#include "shared/runtime/random.h"

namespace millrace {

/// The event log in Redis (keys and channels: shared/contract/keys.h): a hash and a stream a job,
/// changed by scripts alone, live lines by pub/sub. Two connections, one of them only listening.
/// One a loop.
class RedisEventLog final : public EventLog {
 public:
  struct Options {
    std::string url;  ///< redis://[[user]:password@]host[:port][/db]
    Duration events_ttl = limits::log_kept_after_end;
    Duration lease_for = limits::lease_for;
  };
  /// Throws std::invalid_argument when the URL is malformed or asks for TLS.
  RedisEventLog(Clock& clock, Options options);
  ~RedisEventLog() override;

  /// Keeps both connections until cancelled.
  Task<> run();

  Task<Result<Accepted>> accept(const Job& job, std::string_view fingerprint,
                                std::string_view queued_line) override;
  void acknowledge(const Job& job) override;
  Task<Result<>> withdraw(const Job& job) override;
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
  bool reachable() const override { return commands_.ready(); }

 private:
  class JobListener;
  class SessionListener;
  class CancelListener;
  template <class Watcher, class Listener>
  using Listeners = std::unordered_map<std::string, std::map<Watcher*, std::unique_ptr<Listener>>>;

  Task<Result<>> prepare(redis::Connection& connection);
  void eval(redis::CommandBuffer& into, redis::Script script, std::size_t keys,
            std::size_t arguments) const;
  Task<Result<redis::Replies>> run_script(const redis::CommandBuffer& command);
  Task<Result<bool>> join_session(const Job& job);
  Task<> drop_ended(std::string tenant, std::string session);
  void leave_session(std::string_view tenant, std::string_view session, const JobId& id);

  Clock& clock_;
  Options options_;
  redis::Connection commands_;
  redis::Subscriber subscriber_;
  redis::CommandBuffer buffer_;  ///< for the call being built; free again once it is sent
  std::string run_id_;           ///< of the server we are connected to
  bool warned_ = false;

  Listeners<LogWatcher, JobListener> job_listeners_;
  Listeners<SessionWatcher, SessionListener> session_listeners_;
  std::map<std::string, std::unique_ptr<CancelListener>, std::less<>> cancel_listeners_;
};

}  // namespace millrace
