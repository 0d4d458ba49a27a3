#pragma once
#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "shared/disk/damage.h"
#include "shared/disk/ended_index.h"
#include "shared/disk/folder.h"
#include "shared/disk/inbox.h"
#include "shared/disk/job_log.h"
#include "shared/disk/read_thread.h"
#include "shared/disk/rules.h"
#include "shared/disk/segment_writer.h"
#include "shared/disk/sessions.h"
#include "shared/disk/upkeep_thread.h"
#include "shared/event_log.h"
#include "shared/runtime/limits.h"

namespace millrace::disk {

class Replay;

/// The event log of one process, in a folder of segments (see README.md). Every call may be made
/// by any thread and is what the verb of `EventLog` says; a loop reaches it through a
/// SegmentEventLog of its own.
///
/// Jobs that live are held in memory, in shards by id, each under a mutex that is held for at most
/// one `pwritev` into the page cache; of jobs that have ended nothing is, beyond those of the
/// segment being written. A thread of its own seals segments, shortens long logs and removes what
/// has expired.
///
/// **Eras.** A restart loses nothing that any reader saw, as long as the machine ran on: the page
/// cache has it. Where the machine itself has gone down without a clean close, a tail may be lost:
/// then a new era begins, and a job begun in an older one is continued with a gap.
class SegmentLog {
 public:
  struct Options {
    std::string folder{};
    Duration events_ttl = limits::log_kept_after_end;
    Duration lease_for = limits::lease_for;
    std::size_t log_events_max = limits::log_events_max;
    std::size_t log_bytes_max = limits::log_bytes_max;
    std::size_t session_jobs_max = limits::session_jobs_max;
    std::size_t segment_bytes = 64 * 1024 * 1024;  ///< about where the next one begins
    std::string machine_run{};  ///< which run of the machine this is; empty: as the kernel says
  };
  /// Reads what is there. Throws std::runtime_error with what is wrong and what to do when the
  /// folder cannot be used, or another process holds it.
  SegmentLog(Options options, WallTime now);
  /// Every port has gone. What was written is made durable.
  ~SegmentLog();
  SegmentLog(const SegmentLog&) = delete;
  SegmentLog& operator=(const SegmentLog&) = delete;

  /// Looks after the folder until cancelled: removes what has expired, hourly, and tries whether
  /// a disk that refused takes writes again, each second. On any one loop.
  Task<> run(Clock& clock);

  struct Now {
    Instant now{};
    WallTime wall{};
  };
  Result<Accepted> accept(const Job& job, std::string_view fingerprint,
                          std::string_view queued_line, Now at);
  void acknowledge(const JobId& id);
  Result<> withdraw(const JobId& id);
  Result<> forget(const JobId& id, Now at);
  Result<Begun> begin(const BeginRequest& request, Now at);
  Result<Appended> append(const AppendRequest& request, Now at);
  /// `timed_out` where patience ends: ask again with more, or by `read_later`.
  Result<LogPage> read(const JobId& id, Seq after, WallTime now, Patience patience);
  using PageRead = std::function<void(Result<LogPage>)>;
  /// The same on a thread that may wait for the disk, and told there.
  void read_later(const JobId& id, Seq after, WallTime now, PageRead told);
  Result<LogState> cancel(const JobId& id, Now at);
  Result<std::vector<std::optional<LogState>>> states(std::span<const JobId> ids, Now at);
  std::vector<JobId> session_jobs(std::string_view tenant, std::string_view session) const;
  Result<std::string> claim_store(std::string_view store_id);
  bool reachable() const { return writer_->healthy(); }

  /// The inbox hears of the job from here on, and is told that `listener` listens.
  void listen(const JobId& id, Inbox& inbox, std::uint64_t listener);
  void unlisten(const JobId& id, Inbox& inbox);
  Sessions& sessions() { return sessions_; }
  void listen_for_cancels(const std::string& worker, Inbox& inbox);
  void unlisten_for_cancels(const std::string& worker, Inbox& inbox);

  /// Removes what has expired by now; returns at once.
  void purge_soon(WallTime now) { upkeep_.purge(now); }
  /// Waits until all upkeep that was due has been done. For tests.
  void settle() { upkeep_.settle(); }

 private:
  friend struct SegmentLogLoss;  ///< tests take away what a disk may lose

  /// A job that has not ended, with what only this process knows of it.
  struct Live {
    JobLog log;
    std::uint64_t events = 0;  ///< in the runs
    std::uint64_t bytes = 0;
    Instant lease_until{};
    std::string worker{};        ///< who hears of a cancel
    std::uint32_t restated = 0;  ///< the segment of its last record
    bool shortening = false;
  };
  struct Shard {
    std::mutex mutex;
    std::unordered_map<JobId, Live> live;
    /// Ended in a segment that has no index yet.
    std::unordered_map<JobId, EndedJob> ended;
    std::unordered_map<JobId, std::vector<Inbox*>> listeners;
  };

  Shard& shard_of(const JobId& id) { return shards_[id.bytes[15] % shards_.size()]; }
  Moment moment(Now at) const { return {.now = at.now, .wall = at.wall, .era = era_}; }

  // segment_log.cpp
  void add_run(Live& live, const Run& run);
  void tell(Shard& shard, const JobId& id, std::string_view lines);
  void note_written(const Place& place, std::size_t bytes);
  static std::string session_of(const Identity& identity);

  // segment_log_recovery.cpp
  void open_era(WallTime now);
  bool save_era(bool clean);
  void recover();
  void begin_first_segment();
  SegmentEnd read_segment(Replay& replay, std::uint32_t number, Damages& damages);
  void tell_damage(std::uint32_t number, const std::vector<Damage>& damages) const;
  void cut(Replay& replay, std::map<std::uint32_t, std::uint64_t>& ends, const Damages& damages);
  void take_ended(const Replay& replay);
  void take_live(Replay& replay);
  void go_on(SegmentEnd end, bool damaged);

  // segment_log_writing.cpp
  Result<Place> write(const Entry& entry);
  Result<> write_record(const JobId& id, Live& live, std::string_view lines, std::uint32_t count);
  Result<> write_standing(const JobId& id, Live& live, const Standing& after);
  Result<Begun> begin_missing(Shard& shard, const BeginRequest& request, Now at);
  Result<> write_lines(Live& live, const AppendRequest& request, const Standing& after);
  Result<> write_end(Shard& shard, Live& live, const AppendRequest& request, const Standing& after);

  // segment_log_reading.cpp
  std::optional<EndedJob> find_ended(const Shard& shard, const JobId& id, WallTime now) const;
  Result<JobLog> read_record(const EndedJob& ended, Patience patience = Patience::any) const;
  Result<std::optional<LogState>> state(const JobId& id, Now at);

  // segment_log_upkeep.cpp
  void keep(const UpkeepThread::Chore& chore);
  void turn_segment();
  void seal_old_segments();
  bool seal(std::uint32_t segment);
  void restate();
  Result<std::size_t> restate_some(Shard& shard, std::span<const JobId> ids, std::uint32_t segment);
  void purge(WallTime now);
  void move_out_of(std::uint32_t before);
  std::uint32_t oldest_needed(WallTime since, bool by_live);
  /// Copies the lines of a live job together, shortened or as they are.
  void rewrite(const JobId& id, std::optional<WallTime> shorten_at);
  Result<std::vector<Run>> write_copies(const JobId& id, std::string_view lines);

  const Options options_;
  const Folder folder_;
  std::uint64_t era_ = 0;
  std::string machine_run_;
  std::unique_ptr<SegmentWriter> writer_;
  EndedJobs ended_;
  Sessions sessions_;
  std::array<Shard, 16> shards_;

  std::mutex cancels_mutex_;
  std::map<std::string, std::vector<Inbox*>, std::less<>> cancels_;

  std::mutex store_mutex_;
  std::string store_id_;

  // --- the upkeep's own
  std::vector<std::uint32_t> unsealed_;  ///< segments without an index, but for the one written
  std::uint32_t restated_in_ = 0;        ///< the newest segment that begins with all live jobs

  std::atomic<std::size_t> turn_at_;
  std::atomic<bool> turning_ = false;  ///< the upkeep has been asked for the next segment
  UpkeepThread upkeep_;
  ReadThread reads_;
};

}  // namespace millrace::disk
