#include "shared/disk/segment_log.h"

#include <algorithm>

#include "shared/runtime/log.h"

namespace millrace::disk {
namespace {

constexpr auto purge_every = 1h;
constexpr auto probe_every = 1s;
constexpr const char* store_file = "store";

}  // namespace

SegmentLog::SegmentLog(Options options, WallTime now)
    : options_(std::move(options)),
      folder_(options_.folder),
      turn_at_(options_.segment_bytes),
      upkeep_([this](const UpkeepThread::Chore& chore) { keep(chore); }) {
  open_era(now);
  recover();
  store_id_ = folder_.read_all(store_file).value_or("");
  upkeep_.start();
}

SegmentLog::~SegmentLog() {
  upkeep_.stop();
  if (!writer_->sync() || !save_era(true))
    log::warn("events_not_closed", {{"folder", options_.folder}});
}

Task<> SegmentLog::run(Clock& clock) {
  Instant next_purge = clock.now();
  for (;;) {
    if (const Instant now = clock.now(); now >= next_purge) {
      next_purge = now + purge_every;
      upkeep_.purge(clock.wall());
    }
    if (!writer_->healthy()) upkeep_.probe();
    co_await clock.sleep_for(probe_every);
  }
}

void SegmentLog::add_run(Live& live, const Run& run) {
  if (run.count == 0) return;
  live.log.runs.push_back(run);
  live.events += run.count;
  live.bytes += run.length;
}

/// Under the shard's mutex, so that every inbox has the lines of a job in their order.
void SegmentLog::tell(Shard& shard, const JobId& id, std::string_view lines) {
  if (lines.empty() || shard.listeners.empty()) return;
  const auto found = shard.listeners.find(id);
  if (found == shard.listeners.end()) return;
  for (Inbox* const inbox : found->second) inbox->put_lines(id, lines);
}

void SegmentLog::note_written(const Place& place, std::size_t bytes) {
  if (place.offset + bytes > turn_at_.load(std::memory_order_relaxed) && !turning_.exchange(true))
    upkeep_.turn();
}

std::string SegmentLog::session_of(const Identity& identity) {
  return session_name(identity.tenant, identity.session);
}

void SegmentLog::listen(const JobId& id, Inbox& inbox, std::uint64_t listener) {
  Shard& shard = shard_of(id);
  const std::lock_guard lock(shard.mutex);
  auto& listeners = shard.listeners[id];
  if (std::ranges::find(listeners, &inbox) == listeners.end()) listeners.push_back(&inbox);
  inbox.put_listening(listener);
}

void SegmentLog::unlisten(const JobId& id, Inbox& inbox) {
  Shard& shard = shard_of(id);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.listeners.find(id);
  if (found == shard.listeners.end()) return;
  std::erase(found->second, &inbox);
  if (found->second.empty()) shard.listeners.erase(found);
}

void SegmentLog::listen_for_cancels(const std::string& worker, Inbox& inbox) {
  const std::lock_guard lock(cancels_mutex_);
  cancels_[worker].push_back(&inbox);
}

void SegmentLog::unlisten_for_cancels(const std::string& worker, Inbox& inbox) {
  const std::lock_guard lock(cancels_mutex_);
  const auto found = cancels_.find(worker);
  if (found == cancels_.end()) return;
  std::erase(found->second, &inbox);
  if (found->second.empty()) cancels_.erase(found);
}

std::vector<JobId> SegmentLog::session_jobs(std::string_view tenant,
                                            std::string_view session) const {
  return sessions_.jobs(session_name(tenant, session));
}

/// Once a start: the one call here that waits for the disk.
Result<std::string> SegmentLog::claim_store(std::string_view store_id) {
  const std::lock_guard lock(store_mutex_);
  if (store_id_.empty()) {
    if (!folder_.replace(store_file, store_id)) return Failure(Errc::unavailable);
    store_id_ = store_id;
  }
  return store_id_;
}

}  // namespace millrace::disk
