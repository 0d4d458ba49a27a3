#include "shared/sqlite/waiting_jobs.h"

namespace millrace::sqlite {
namespace {

/// Entries, strings' own places and bookkeeping of one job, beside its text.
constexpr std::size_t job_overhead_bytes = 700;
constexpr std::size_t page_bytes_max = 4 * 1024 * 1024;
constexpr std::size_t lane_page_bytes_max = 256 * 1024;
/// Read in one go; the next go comes at once.
constexpr std::size_t lanes_together = 32;

std::size_t weight(const WaitingJob& waiting) {
  const Job& job = waiting.job;
  return job.envelope.size() + job.input.size() + job.metadata.size() + job_overhead_bytes;
}

}  // namespace

WaitingJobs::WaitingJobs(Bounds bounds, std::int64_t newest) : bounds_(bounds), newest_(newest) {}

bool WaitingJobs::room() const {
  return held_jobs_ < bounds_.jobs && held_bytes_ < bounds_.bytes;
}

bool WaitingJobs::room_to_wait() const {
  return held_jobs_ < bounds_.jobs / 2 && held_bytes_ < bounds_.bytes / 2;
}

bool WaitingJobs::may_wait_here(const WaitingJob& job, Instant now) const {
  return job.due - now <= bounds_.wait_max && room_to_wait();
}

void WaitingJobs::hold(const WaitingJob& job) {
  ++held_jobs_;
  held_bytes_ += weight(job);
}

void WaitingJobs::let_go(const WaitingJob& job) {
  --held_jobs_;
  held_bytes_ -= weight(job);
}

/// A row is no longer here. A page that is on its way may still bring it.
void WaitingJobs::leave(std::int64_t seq) {
  if (seq <= scanned_to_) return;
  if (scanning_)
    ahead_.insert(seq);
  else
    ahead_.erase(seq);
}

// --- what comes

void WaitingJobs::arrive(WaitingJob job, Instant now) {
  const bool behind = newest_ > scanned_to_;
  newest_ = std::max(newest_, job.seq);
  if (behind || job.seq <= scanned_to_ || !room()) return;
  scanned_to_ = job.seq;
  admit(std::make_unique<WaitingJob>(std::move(job)), now);
}

void WaitingJobs::note_newest(std::int64_t seq) {
  newest_ = std::max(newest_, seq);
}

void WaitingJobs::admit(Held job, Instant now) {
  if (!job->lane.empty()) return admit_to_lane(std::move(job), now);
  if (admit_alone(job, now)) return;
  note_parked(job->due);
  to_park_.push_back(std::move(*job));
}

/// False, and the job stays the caller's: there is no room for it to wait here.
bool WaitingJobs::admit_alone(Held& job, Instant now) {
  const Instant due = job->due;
  if (due > now && !may_wait_here(*job, now)) return false;
  hold(*job);
  if (due > now)
    waiting_.emplace(due, Turn{nullptr, std::move(job)});
  else
    ready_.push_back({nullptr, std::move(job)});
  return true;
}

void WaitingJobs::admit_to_lane(Held job, Instant now) {
  const auto [at, fresh] = lanes_.try_emplace(job->lane);
  Lane& lane = at->second;
  if (!fresh) return append(lane, std::move(job));
  lane.key = at->first;
  lane.read_to = lane.newest = job->seq;
  hold(*job);
  lane.held.push_back(std::move(job));
  next_in(lane, now);
}

/// Behind the others of its lane, if those are all here; else the lane will read it in its turn.
void WaitingJobs::append(Lane& lane, Held job) {
  if (job->seq <= lane.read_to) return;
  const bool whole = lane.newest <= lane.read_to;
  lane.newest = std::max(lane.newest, job->seq);
  if (!whole || lane.held.size() >= bounds_.lane_jobs || !room_to_wait()) return;
  lane.read_to = job->seq;
  hold(*job);
  lane.held.push_back(std::move(job));
}

// --- lanes

/// Gives the lane its place by its first job, or ends it. False: that job is not held.
bool WaitingJobs::next_in(Lane& lane, Instant now) {
  if (lane.held.empty()) {
    if (lane.newest > lane.read_to) {
      lane.standing = Standing::unread;
      unread_.push_back(&lane);
    } else {
      lanes_.erase(lanes_.find(std::string(lane.key)));
    }
    return false;
  }
  const WaitingJob& first = *lane.held.front();
  if (first.due <= now) {
    lane.standing = Standing::ready;
    ready_.push_back({&lane, nullptr});
    return true;
  }
  lane.standing = Standing::waiting;
  waiting_.emplace(first.due, Turn{&lane, nullptr});
  if (may_wait_here(first, now)) return true;
  wait_unheld(lane);
  return false;
}

/// Forgets the jobs of a lane but not their order: they are read again when the first is due.
void WaitingJobs::wait_unheld(Lane& lane) {
  lane.newest = std::max(lane.newest, lane.held.back()->seq);
  lane.read_to = lane.held.front()->seq - 1;
  for (const auto& job : lane.held) let_go(*job);
  lane.held.clear();
  lane.held.shrink_to_fit();
}

// --- deliveries

std::optional<Delivery> WaitingJobs::take() {
  if (!ready()) return std::nullopt;
  Turn turn = std::move(ready_.front());
  ready_.pop_front();
  Held job = std::move(turn.job);
  if (turn.lane) {
    job = std::move(turn.lane->held.front());
    turn.lane->held.erase(turn.lane->held.begin());
    turn.lane->standing = Standing::in_hand;
  }
  let_go(*job);
  const std::uint64_t handle = next_handle_++;
  in_hand_.emplace(handle, InHand{.seq = job->seq, .lane = turn.lane});
  return Delivery{.job = std::move(job->job),
                  .attempt = job->attempt,
                  .redelivered = job->redelivered || job->attempt > 1,
                  .handle = handle};
}

std::optional<std::int64_t> WaitingJobs::row_of(std::uint64_t handle) const {
  const auto found = in_hand_.find(handle);
  if (found == in_hand_.end()) return std::nullopt;
  return found->second.seq;
}

void WaitingJobs::finish(std::uint64_t handle, Instant now) {
  const auto found = in_hand_.find(handle);
  if (found == in_hand_.end()) return;
  const InHand ended = found->second;
  in_hand_.erase(found);
  leave(ended.seq);
  if (ended.lane) next_in(*ended.lane, now);
}

bool WaitingJobs::put_off(std::uint64_t handle, WaitingJob job, Instant now) {
  const auto found = in_hand_.find(handle);
  if (found == in_hand_.end()) return true;
  const InHand back = found->second;
  in_hand_.erase(found);
  job.seq = back.seq;
  Held held = std::make_unique<WaitingJob>(std::move(job));
  if (back.lane) {
    hold(*held);
    back.lane->held.insert(back.lane->held.begin(), std::move(held));
    return next_in(*back.lane, now);
  }
  const Instant due = held->due;
  if (admit_alone(held, now)) return true;
  leave(back.seq);
  note_parked(due);
  return false;
}

// --- time

Instant WaitingJobs::wake(Instant now) {
  while (!waiting_.empty() && waiting_.begin()->first <= now) {
    Turn turn = std::move(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
    if (turn.lane && turn.lane->held.empty()) {
      turn.lane->standing = Standing::unread;
      unread_.push_back(turn.lane);
      continue;
    }
    if (turn.lane) turn.lane->standing = Standing::ready;
    ready_.push_back(std::move(turn));
  }
  const Instant next = waiting_.empty() ? Instant::max() : waiting_.begin()->first;
  return reading_due_ || !room() ? next : std::min(next, parked_next_);
}

// --- what is read

std::optional<WaitingJobs::Reading> WaitingJobs::wanted_page() {
  if (scanning_ || newest_ <= scanned_to_) return std::nullopt;
  if (ready_.size() >= bounds_.page_rows || !room()) return std::nullopt;
  scanning_ = true;
  return Reading{.after = scanned_to_,
                 .rows = std::min(bounds_.page_rows, bounds_.jobs - held_jobs_),
                 .bytes = std::min(page_bytes_max, bounds_.bytes - held_bytes_)};
}

void WaitingJobs::add_page(std::vector<WaitingJob> jobs, std::int64_t looked_to, Instant now) {
  scanning_ = false;
  std::int64_t read_to = scanned_to_;
  for (auto& job : jobs) {
    if (!room()) {
      looked_to = read_to;  // the rest is read again
      break;
    }
    read_to = job.seq;
    if (!ahead_.contains(job.seq)) admit(std::make_unique<WaitingJob>(std::move(job)), now);
  }
  scanned_to_ = std::max(scanned_to_, looked_to);
  std::erase_if(ahead_, [&](std::int64_t seq) { return seq <= scanned_to_; });
}

std::vector<WaitingJobs::LaneReading> WaitingJobs::wanted_lanes() {
  std::vector<LaneReading> wanted;
  while (!unread_.empty() && wanted.size() < lanes_together && room()) {
    Lane& lane = *unread_.front();
    unread_.pop_front();
    lane.standing = Standing::reading;
    wanted.push_back(
        {std::string(lane.key),
         {.after = lane.read_to, .rows = bounds_.lane_jobs, .bytes = lane_page_bytes_max}});
  }
  return wanted;
}

void WaitingJobs::add_lane(std::string_view key, std::vector<WaitingJob> jobs,
                           std::int64_t looked_to, Instant now) {
  const auto found = lanes_.find(std::string(key));
  if (found == lanes_.end() || found->second.standing != Standing::reading) return;
  Lane& lane = found->second;
  for (auto& job : jobs) {
    lane.newest = std::max(lane.newest, job.seq);
    if (!lane.held.empty() && !room_to_wait()) {
      looked_to = lane.read_to;
      break;
    }
    lane.read_to = job.seq;
    hold(job);
    lane.held.push_back(std::make_unique<WaitingJob>(std::move(job)));
  }
  lane.read_to = std::max(lane.read_to, looked_to);
  next_in(lane, now);
}

void WaitingJobs::lane_failed(std::string_view key) {
  const auto found = lanes_.find(std::string(key));
  if (found == lanes_.end() || found->second.standing != Standing::reading) return;
  found->second.standing = Standing::unread;
  unread_.push_back(&found->second);
}

std::optional<WaitingJobs::Reading> WaitingJobs::wanted_due(Instant now) {
  if (reading_due_ || parked_next_ > now || !room()) return std::nullopt;
  reading_due_ = true;
  parked_next_ = Instant::max();
  return Reading{.after = 0,
                 .rows = std::min(bounds_.page_rows, bounds_.jobs - held_jobs_),
                 .bytes = std::min(page_bytes_max, bounds_.bytes - held_bytes_)};
}

std::vector<std::int64_t> WaitingJobs::add_due(std::vector<WaitingJob> jobs, Instant next,
                                               Instant now) {
  reading_due_ = false;
  std::vector<std::int64_t> taken;
  for (auto& job : jobs) {
    if (!room()) {
      next = now;
      break;
    }
    if (job.seq > scanned_to_) ahead_.insert(job.seq);
    taken.push_back(job.seq);
    admit(std::make_unique<WaitingJob>(std::move(job)), now);
  }
  note_parked(next);
  return taken;
}

void WaitingJobs::due_failed(Instant again) {
  reading_due_ = false;
  note_parked(again);
}

}  // namespace millrace::sqlite
