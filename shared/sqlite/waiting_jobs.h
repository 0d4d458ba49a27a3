#pragma once
#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "shared/job_queue.h"

namespace millrace::sqlite {

/// A queued job in memory.
struct WaitingJob {
  std::int64_t seq = 0;  ///< its row
  Job job;
  std::string lane;  ///< its key where it has a session; empty: ordered by nothing
  std::uint32_t attempt = 1;
  bool redelivered = false;
  Instant due{};  ///< not before
};

/// What orders the job in the queue; empty: nothing.
inline std::string lane_of(const Job& job) {
  return job.session.empty() ? std::string() : job.key();
}

/// Which job may run next: those of one lane one after the other in the order of their rows, all
/// others at once. What the table holds is the truth; this holds at most `Bounds::jobs` of it and
/// says what to read when it wants more. Every queued job is in one of these places:
///   - in hand, ready, or waiting here: `read_to` of its lane, or of the table, has passed it;
///   - behind `read_to` of its lane, which is known here;
///   - parked: it waits for its time in the table alone;
///   - not read yet: behind `scanned_to`.
/// A lane whose first job waits for its time keeps a place here (some 250 bytes) however long.
/// Pure; one thread. Every reading asked for is answered by `add_…` or `…_failed`.
class WaitingJobs {
 public:
  struct Bounds {
    std::size_t jobs = 0;       ///< with their envelopes, beside those in hand
    std::size_t bytes = 0;      ///< of the same
    std::size_t in_hand = 0;    ///< taken and not settled
    std::size_t lane_jobs = 4;  ///< held behind the first of a lane
    std::size_t page_rows = 256;
    Duration wait_max{};  ///< who waits longer for its time is not held meanwhile
  };

  /// `newest`: rows up to this one may be there to be read; none is held yet.
  WaitingJobs(Bounds bounds, std::int64_t newest);

  // --- what was just queued, in the order of rows

  void arrive(WaitingJob job, Instant now);
  /// A row was added that did not come here.
  void note_newest(std::int64_t seq);
  /// A row was added, or is left, to be read when it is due.
  void note_parked(Instant due) { parked_next_ = std::min(parked_next_, due); }

  // --- deliveries

  std::optional<Delivery> take();
  bool ready() const { return !ready_.empty() && in_hand_.size() < bounds_.in_hand; }
  /// The row of a delivery in hand; nothing once it is settled.
  std::optional<std::int64_t> row_of(std::uint64_t handle) const;
  void finish(std::uint64_t handle, Instant now);
  /// A delivery comes again at `job.due`, as `job`. False: it is not held; its row has to say when
  /// it is due, and is parked if it has no lane.
  bool put_off(std::uint64_t handle, WaitingJob job, Instant now);

  // --- time

  /// Frees what has waited long enough; returns when to come again (`Instant::max()`: never).
  Instant wake(Instant now);

  // --- what to read from the table

  struct Reading {
    std::int64_t after = 0;
    std::size_t rows = 0;
    std::size_t bytes = 0;
  };
  /// The next page of rows that are not parked. One at a time.
  std::optional<Reading> wanted_page();
  /// Adds the page; `looked_to`: its last row, or, if there were no more rows, the last there was.
  void add_page(std::vector<WaitingJob> jobs, std::int64_t looked_to, Instant now);
  void page_failed() { scanning_ = false; }

  struct LaneReading {
    std::string lane;
    Reading what;
  };
  /// Lanes whose next job has to be read.
  std::vector<LaneReading> wanted_lanes();
  void add_lane(std::string_view lane, std::vector<WaitingJob> jobs, std::int64_t looked_to,
                Instant now);
  void lane_failed(std::string_view lane);

  /// Parked rows that are due. One at a time.
  std::optional<Reading> wanted_due(Instant now);
  /// Adds them; `next`: when the first that was not read is due. Returns the rows taken, which
  /// are to be parked no longer.
  std::vector<std::int64_t> add_due(std::vector<WaitingJob> jobs, Instant next, Instant now);
  void due_failed(Instant again);

  /// Rows without a lane that are to be parked, since there is no room to hold them.
  std::vector<WaitingJob> take_parked() { return std::exchange(to_park_, {}); }

  std::size_t held() const { return held_jobs_; }
  std::size_t held_bytes() const { return held_bytes_; }
  std::size_t in_hand() const { return in_hand_.size(); }

 private:
  using Held = std::unique_ptr<WaitingJob>;
  enum class Standing : std::uint8_t { ready, in_hand, waiting, unread, reading };
  struct Lane {
    std::string_view key;      ///< of its entry in `lanes_`
    std::vector<Held> held;    ///< in order, without the one in hand
    std::int64_t read_to = 0;  ///< its rows up to here are held, in hand or finished
    std::int64_t newest = 0;   ///< its last row that is known of
    Standing standing = Standing::ready;
  };
  /// A lane, or a job that has none.
  struct Turn {
    Lane* lane = nullptr;
    Held job;
  };
  struct InHand {
    std::int64_t seq = 0;
    Lane* lane = nullptr;
  };

  bool room() const;
  /// For what cannot run yet: it may fill half the room, or what can run would find none.
  bool room_to_wait() const;
  bool may_wait_here(const WaitingJob& job, Instant now) const;
  void hold(const WaitingJob& job);
  void let_go(const WaitingJob& job);

  void admit(Held job, Instant now);
  void admit_to_lane(Held job, Instant now);
  bool admit_alone(Held& job, Instant now);
  void append(Lane& lane, Held job);
  bool next_in(Lane& lane, Instant now);
  void wait_unheld(Lane& lane);
  void leave(std::int64_t seq);

  const Bounds bounds_;
  std::int64_t scanned_to_ = 0;
  std::int64_t newest_ = 0;
  bool scanning_ = false;
  /// Rows behind `scanned_to_` that came by another way: a page must not bring them again.
  std::unordered_set<std::int64_t> ahead_;

  std::unordered_map<std::string, Lane> lanes_;
  std::deque<Turn> ready_;
  std::multimap<Instant, Turn> waiting_;
  std::deque<Lane*> unread_;
  std::unordered_map<std::uint64_t, InHand> in_hand_;
  std::uint64_t next_handle_ = 1;

  Instant parked_next_ = Instant::min();  ///< at first nobody knows: look
  bool reading_due_ = false;
  std::vector<WaitingJob> to_park_;

  std::size_t held_jobs_ = 0;
  std::size_t held_bytes_ = 0;
};

}  // namespace millrace::sqlite
