#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "shared/event_log.h"
#include "shared/memory/bugs.h"
#include "shared/memory/link.h"
#include "shared/runtime/limits.h"

namespace millrace::memory {

/// Where the messages of one port's subscriptions arrive.
struct Ear {
  Link& link;
  std::function<void(const std::string& channel, const std::string& payload)> heard;
};

/// The server behind every MemoryEventLog: the records, what the Redis scripts do to them, and
/// pub/sub. One call is atomic, as a script is. Knows time from `Time` alone, its own clock, which
/// may jump.
class LogServer {
 public:
  using Time = std::function<std::chrono::microseconds()>;
  struct Options {
    Duration lease_for = limits::lease_for;
    Duration events_ttl = limits::log_kept_after_end;
    std::size_t log_events_max = limits::log_events_max;
    std::size_t log_bytes_max = limits::log_bytes_max;
    std::size_t session_jobs_max = limits::session_jobs_max;
  };
  /// Lines are about to be written by `token`, while `holder` has the lease; for those who watch
  /// the world.
  using OnAppend = std::function<void(const JobId&, const Token& token,
                                      const std::optional<Token>& holder, std::string_view lines)>;

  /// A begin was answered.
  using OnBegin = std::function<void(const BeginRequest&, const Begun&)>;

  LogServer(Time time, Options options, const Bugs& bugs)
      : time_(std::move(time)), options_(options), bugs_(bugs) {}
  LogServer(const LogServer&) = delete;
  LogServer& operator=(const LogServer&) = delete;

  // --- what ports ask; see EventLog
  Result<Accepted> accept(const Job& job, const std::string& fingerprint, const std::string& line);
  void acknowledge(const JobId& id);
  void withdraw(const Job& job);
  Result<> forget(const JobId& id);
  /// `run`: of the server, as the port learnt it when it connected.
  Begun begin(const BeginRequest& request, std::uint64_t run) {
    const Begun begun = take_lease(request, run);
    if (begun_) begun_(request, begun);
    return begun;
  }
  Result<Appended> append(const AppendRequest& request, std::uint64_t run);
  Result<LogPage> read(const JobId& id, Seq after);
  Result<LogState> cancel(const JobId& id);
  std::vector<std::optional<LogState>> states(const std::vector<JobId>& ids);
  std::vector<JobId> session_jobs(const std::string& key);
  std::string claim_store(const std::string& id);

  void subscribe(const std::string& channel, const std::shared_ptr<Ear>& ear);
  void unsubscribe(const std::string& channel, const Ear* ear);
  std::uint64_t run() const { return run_; }

  // --- what happens to it
  void lose(const JobId& id);
  void lose_last_event(const JobId& id);
  void lose_everything();
  /// Another run id; the records stay.
  void restart() { ++run_; }
  void list_in_session(const Job& job);

  // --- what is seen from above
  /// Who would be let in to write: nobody after a loss, an end, or when it was given back.
  std::optional<Token> holder(const JobId& id) const;
  /// The worker name that the holder gave.
  std::string held_by(const JobId& id) const;
  void on_append(OnAppend hear) { appended_ = std::move(hear); }
  void on_begin(OnBegin hear) { begun_ = std::move(hear); }

 private:
  struct Line {
    Seq seq;
    std::string text;  ///< with its LF
  };
  struct Record {
    JobState state = JobState::queued;
    std::optional<Token> holder;
    std::optional<Token> last_holder;
    std::string control;
    Seq seq = 0;
    std::uint64_t run = 0;
    std::chrono::microseconds lease{};
    std::chrono::microseconds expires{std::chrono::microseconds::max()};
    std::uint32_t attempt = 0;
    std::uint32_t errors = 0;
    std::uint32_t lost = 0;
    std::optional<Seq> gap_from;
    Seq gap_at = 0;
    bool acknowledged = false;
    bool cancel = false;
    std::string fingerprint, tenant, session, kind;
    WallTime created_at{}, deadline{};
    std::vector<Line> lines;
    std::size_t bytes = 0;
  };

  Begun take_lease(const BeginRequest& request, std::uint64_t run);
  Record* find(const JobId& id);
  Record& make(const Job& job, std::string_view fingerprint, std::string_view line,
               bool made_again);
  bool join_session(const Job& job, std::size_t jobs_max);
  void leave_session(const std::string& tenant, const std::string& session, const JobId& id);
  LogState state_of(const Record& record) const;
  static bool same_append(const Record& record, const AppendRequest& request, Seq last);
  void write(const AppendRequest& request, Record& record, Seq last);
  void shorten(const JobId& id, Record& record);
  void publish(const std::string& channel, std::string_view payload);

  Time time_;
  Options options_;
  const Bugs& bugs_;
  std::uint64_t run_ = 1;
  std::string store_id_;
  std::unordered_map<JobId, Record> records_;
  std::map<std::string, std::set<std::pair<WallTime, JobId>>> sessions_;
  std::map<std::string, std::vector<std::weak_ptr<Ear>>> ears_;
  OnAppend appended_;
  OnBegin begun_;
};

}  // namespace millrace::memory
