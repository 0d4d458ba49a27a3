#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "shared/event_log.h"
#include "shared/redis/scripts.h"
#include "shared/redis/subscriber.h"
#include "shared/runtime/limits.h"
#include "shared/runtime/nursery.h"

namespace millrace {

/// The event log in Redis (keys and channels: shared/contract/keys.h): a hash and a stream a job,
/// changed by scripts alone, live lines by pub/sub. Two connections, one of them only listening.
/// One a loop; `run` keeps the connections and must have ended before the object goes.
///
/// While Redis is away calls fail at once with `unavailable`; those that were on their way when it
/// went end with `timed_out`, at the latest when their time is over. It may refuse a command
/// (loading, out of memory, read-only): `unavailable`, and a line in the log, at most one a second.
class RedisEventLog final : public EventLog {
 public:
  struct Options {
    std::string url;  ///< redis://[[user]:password@]host[:port][/db]
    Duration events_ttl = limits::log_kept_after_end;
    Duration lease_for = limits::lease_for;
    Duration command_timeout = limits::log_command_timeout;
    std::size_t log_events_max = limits::log_events_max;
    std::size_t log_bytes_max = limits::log_bytes_max;
    std::size_t session_jobs_max = limits::session_jobs_max;
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
  bool reachable() const override { return commands_.ready(); }

 private:
  class JobListener;
  class SessionListener;
  class CancelListener;
  template <class Watcher, class Listener>
  using Listeners = std::unordered_map<std::string, std::map<Watcher*, std::unique_ptr<Listener>>>;

  /// Writes the keys and arguments of a script, and commands to go with it. Borrows its callable.
  class Fill {
   public:
    template <class Callable>
    Fill(const Callable& callable)
        : callable_(&callable), call_([](const void* it, redis::CommandBuffer& into) {
            (*static_cast<const Callable*>(it))(into);
          }) {}
    void operator()(redis::CommandBuffer& into) const { call_(callable_, into); }

   private:
    const void* callable_;
    void (*call_)(const void*, redis::CommandBuffer&);
  };
  struct ScriptShape {
    redis::Script script;
    std::size_t keys;
    std::size_t arguments;
  };

  Task<Result<>> prepare(redis::Connection& connection);
  void warn_of_settings(const redis::Replies& settings);
  static void script(ScriptShape shape, redis::CommandBuffer& command, bool by_digest = true);
  Task<Result<redis::Replies>> run_script(ScriptShape shape, Instant by, Fill fill);
  Task<Result<redis::Replies>> ask(const redis::CommandBuffer& commands, Instant by);
  std::optional<Errc> refused(const redis::Replies& replies);

  static constexpr ScriptShape make_record{redis::Script::accept, 2, 9};
  static constexpr ScriptShape take_lease{redis::Script::begin, 1, 7};
  /// The parts of `make_record`, and the commands that put the job among its session's live ones,
  /// of which the last says how many those are.
  void record_parts(const Job& job, std::string_view fingerprint, std::string_view line,
                    bool acknowledged, redis::CommandBuffer& command);
  void begin_parts(const BeginRequest& request, redis::CommandBuffer& command);
  Task<Result<redis::Replies>> make_record_and_begin(const BeginRequest& request, Instant by);
  void shorten_soon(const JobId& id, const Token& token);
  Task<> shorten(JobId id, Token token);
  Task<Result<LogPage>> read_page(JobId id, Seq after, Instant by);
  Task<Result<std::vector<std::optional<LogState>>>> states_by(std::span<const JobId> ids,
                                                               Instant by);
  void join_session(const Job& job, redis::CommandBuffer& command);
  Task<Result<>> join_if_idle(const Job& job, Instant by);
  void tell_session(const Job& job);
  Task<Result<>> keep_to_limit(const Job& job, Instant by);
  Task<Result<std::vector<JobId>>> live_jobs(std::string key, Instant by);
  void leave_session(std::string_view tenant, std::string_view session, const JobId& id);
  void leave_session(const std::string& key, const JobId& id);

  Clock& clock_;
  Options options_;
  redis::Connection commands_;
  redis::Subscriber subscriber_;
  redis::CommandBuffer buffer_;  ///< for the call being built; free again once it is sent
  std::string run_id_;           ///< of the server we are connected to
  bool warned_ = false;
  Nursery* tasks_ = nullptr;              ///< while `run` does
  std::unordered_set<JobId> shortening_;  ///< jobs whose logs are being cut
  Instant next_complaint_{};

  Listeners<LogWatcher, JobListener> job_listeners_;
  Listeners<SessionWatcher, SessionListener> session_listeners_;
  std::map<std::string, std::unique_ptr<CancelListener>, std::less<>> cancel_listeners_;
};

}  // namespace millrace
