#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "shared/disk/seats.h"
#include "shared/disk/segment_log.h"
#include "shared/runtime/clock.h"
#include "shared/runtime/signal.h"

namespace millrace {

/// The event log of one loop, on the SegmentLog of its process, which outlives it. Every call is
/// answered at once, from memory and the page cache; a page that the cache has not is read on
/// another thread. Watchers are told on this loop.
class SegmentEventLog final : public EventLog, private disk::Ear {
 public:
  SegmentEventLog(Clock& clock, disk::SegmentLog& log);
  /// On the loop, or once it has ended.
  ~SegmentEventLog() override;

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
  bool reachable() const override { return log_.reachable(); }

 private:
  void on_lines(const JobId& id, std::string_view lines) noexcept override;
  void on_joined(const JobId& id, std::string_view session) noexcept override;
  void on_cancel(const JobId& id, std::string_view worker) noexcept override;
  void on_listening(std::uint64_t listener) noexcept override;
  void on_read(std::uint64_t number) noexcept override;
  void on_missed() noexcept override;
  Task<Result<LogPage>> read_cold(JobId id, Seq after);

  disk::SegmentLog::Now now() const { return {.now = clock_.now(), .wall = clock_.wall()}; }

  struct ColdRead {
    explicit ColdRead(Clock& clock) : done(clock) {}
    Signal done;
    Result<LogPage> page = Failure(Errc::timed_out);  ///< the reader's until it is told
    bool told = false;
  };

  Clock& clock_;
  disk::SegmentLog& log_;
  std::shared_ptr<disk::Inbox> inbox_;
  std::uint64_t numbers_ = 0;  ///< of watchers and cold reads
  std::map<std::uint64_t, std::shared_ptr<ColdRead>> cold_reads_;
  disk::Seats<JobId, LogWatcher> jobs_;
  disk::Seats<std::string, SessionWatcher> sessions_;
  std::map<std::string, std::function<void(const JobId&)>, std::less<>> cancels_;
};

}  // namespace millrace
