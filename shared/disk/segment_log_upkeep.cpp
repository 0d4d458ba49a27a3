#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "shared/contract/log_cap.h"
#include "shared/disk/run_reader.h"
#include "shared/disk/segment_log.h"
#include "shared/runtime/log.h"

// What takes long: on the upkeep's thread, beside the appends.
namespace millrace::disk {
namespace {

constexpr std::size_t jobs_restated_at_once = 32;
constexpr std::size_t copy_bytes = 256 * 1024;
constexpr std::size_t turn_at_most = std::size_t{2} << 30;

/// Where the events from number `from` on begin.
std::size_t offset_of(std::string_view lines, Seq from) {
  std::string_view rest = lines;
  EventLine event;
  std::size_t offset = 0;
  while (next_event(rest, event) && event.seq < from) offset = lines.size() - rest.size();
  return offset;
}

/// Lines that lie in one place, as runs: a run's numbers follow one another, the lines of a
/// shortened log need not.
void add_runs(std::vector<Run>& runs, Place place, std::string_view lines) {
  EventLine event;
  Run run;
  while (next_event(lines, event)) {
    const auto length = static_cast<std::uint32_t>(event.whole.size());
    if (run.count > 0 && event.seq == run.last() + 1) {
      ++run.count;
      run.length += length;
    } else {
      if (run.count > 0) runs.push_back(run);
      run = {place.segment, place.offset, length, 1, event.seq};
    }
    place.offset += length;
  }
  if (run.count > 0) runs.push_back(run);
}

}  // namespace

void SegmentLog::keep(const UpkeepThread::Chore& chore) {
  using Kind = UpkeepThread::Chore::Kind;
  switch (chore.kind) {
    case Kind::turn:
      turn_segment();
      turning_ = false;
      return;
    case Kind::restate:
      seal_old_segments();
      restate();
      return;
    case Kind::shorten:
      return rewrite(chore.id, chore.now);
    case Kind::purge:
      return purge(chore.now);
    case Kind::probe:
      if (write(Entry{.kind = disk::Kind::probe})) restate();
      return;
  }
}

/// Begins the next segment. The old one is durable before anything in the new names what is in it.
void SegmentLog::turn_segment() {
  const std::uint32_t old = writer_->segment();
  const File file = writer_->turn();
  if (!file) {
    log::warn("segment_not_turned", {{"segment", old}, {"why", std::strerror(errno)}});
    turn_at_ = writer_->offset() + options_.segment_bytes / 8;  // not at every write
    return;
  }
  if (::fdatasync(file.fd()) != 0)
    log::error("segment_not_synced", {{"segment", old}, {"why", std::strerror(errno)}});
  unsealed_.push_back(old);
  seal_old_segments();
  restate();
}

/// Those that cannot be sealed now keep their ended jobs in memory and are tried again.
void SegmentLog::seal_old_segments() {
  std::erase_if(unsealed_, [this](std::uint32_t segment) { return seal(segment); });
}

bool SegmentLog::seal(std::uint32_t segment) {
  std::vector<EndedJob> jobs;
  const auto in_segment = [segment](const auto& one) {
    return one.second.record.segment == segment;
  };
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    for (const auto& one : shard.ended)
      if (in_segment(one)) jobs.push_back(one.second);
  }
  if (!folder_.replace(Folder::index_name(segment), SegmentIndex::bytes_of(jobs))) {
    log::warn("segment_not_sealed", {{"segment", segment}, {"why", std::strerror(errno)}});
    return false;
  }
  auto index = SegmentIndex::open(folder_, segment);
  if (!index) return false;
  ended_.add(std::move(index));
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    std::erase_if(shard.ended, in_segment);
  }
  return true;
}

/// Writes a record of every job that has none in this segment yet, so that a start need not read
/// any segment before. Where the disk refuses, starts read further back until it is done.
void SegmentLog::restate() {
  const std::uint32_t segment = writer_->segment();
  if (restated_in_ == segment) return;
  std::size_t bytes = 0;
  for (Shard& shard : shards_) {
    std::vector<JobId> ids;
    {
      const std::lock_guard lock(shard.mutex);
      for (const auto& [id, live] : shard.live)
        if (live.restated < segment) ids.push_back(id);
    }
    for (std::span<const JobId> left = ids; !left.empty();) {
      const auto some = left.first(std::min(left.size(), jobs_restated_at_once));
      const auto restated = restate_some(shard, some, segment);
      if (!restated) return;
      bytes += *restated;
      left = left.subspan(some.size());
    }
  }
  if (!write(Entry{.kind = Kind::restated})) return;
  restated_in_ = segment;
  // What is restated stays a fraction of what is written.
  turn_at_ = std::min(turn_at_most, std::max(options_.segment_bytes, 4 * bytes));
}

/// The bytes it took.
Result<std::size_t> SegmentLog::restate_some(Shard& shard, std::span<const JobId> ids,
                                             std::uint32_t segment) {
  std::vector<std::string> metas(ids.size());
  std::vector<Entry> entries;
  std::vector<Live*> stated;
  const std::lock_guard lock(shard.mutex);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto found = shard.live.find(ids[i]);
    if (found == shard.live.end() || found->second.restated >= segment) continue;
    const JobLog& log = found->second.log;
    encode(metas[i], log.identity, log.standing, log.runs);
    entries.push_back(
        {.kind = Kind::record, .id = ids[i], .expected = log.standing.last, .meta = metas[i]});
    stated.push_back(&found->second);
  }
  if (entries.empty()) return 0;
  const auto place = writer_->write(entries);
  if (!place) return Failure(place.error());
  for (Live* const live : stated) live->restated = place->segment;
  std::size_t bytes = 0;
  for (const Entry& entry : entries) bytes += size_of(entry);
  return bytes;
}

void SegmentLog::rewrite(const JobId& id, std::optional<WallTime> shorten_at) {
  Shard& shard = shard_of(id);
  std::vector<Run> old;
  WallTime created_at;
  {
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.live.find(id);
    if (found == shard.live.end()) return;
    found->second.shortening = false;
    old = found->second.log.runs;
    created_at = found->second.log.identity.created_at;
  }
  if (old.empty()) return;
  auto lines = RunReader(folder_).read(old);
  if (!lines) return;
  if (shorten_at) {
    const KeptEvents kept{
        .events_max = std::min<std::size_t>(1000, options_.log_events_max / 4),
        .bytes_max = std::min<std::size_t>(1024 * 1024, options_.log_bytes_max / 4)};
    auto shorter = shortened(*lines, EventWriter(id, created_at), *shorten_at, kept);
    if (shorter.from == 0) return;
    const std::size_t tail = offset_of(*lines, shorter.from);
    shorter.lines.append(*lines, tail);
    *lines = std::move(shorter.lines);
  }
  auto copies = write_copies(id, *lines);
  if (!copies) return;

  const std::lock_guard lock(shard.mutex);
  const auto found = shard.live.find(id);
  if (found == shard.live.end()) return;
  Live& live = found->second;
  auto& runs = live.log.runs;
  // The log may have been lost, or withdrawn and made again, meanwhile.
  if (runs.size() < old.size() || !std::equal(old.begin(), old.end(), runs.begin())) return;
  copies->insert(copies->end(), runs.begin() + static_cast<std::ptrdiff_t>(old.size()), runs.end());
  std::swap(runs, *copies);
  if (!write_record(id, live, {}, 0)) {
    std::swap(runs, *copies);
    return;
  }
  live.events = live.bytes = 0;
  for (const Run& run : runs) {
    live.events += run.count;
    live.bytes += run.length;
  }
}

/// In parts, so that no append waits for long.
Result<std::vector<Run>> SegmentLog::write_copies(const JobId& id, std::string_view lines) {
  std::vector<Run> runs;
  while (!lines.empty()) {
    std::string_view rest = lines;
    EventLine event;
    while (lines.size() - rest.size() < copy_bytes && next_event(rest, event)) {
    }
    const auto part = lines.substr(0, lines.size() - rest.size());
    if (part.empty()) return Failure(Errc::corrupt);
    const Entry entry{.kind = Kind::copy, .id = id, .lines = part};
    auto place = write(entry);
    if (!place) return Failure(place.error());
    place->offset += static_cast<std::uint32_t>(lines_offset(entry));
    add_runs(runs, *place, part);
    lines = rest;
  }
  return runs;
}

/// The oldest segment that must stay for the next start, for jobs that ended after `since`, and for
/// those that live. One that ends meanwhile is seen on one side or the other: its shard is locked.
std::uint32_t SegmentLog::oldest_needed(WallTime since, bool by_live) {
  std::uint32_t oldest = ended_.oldest_needed(since, restated_in_);
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    for (const auto& [id, ended] : shard.ended)
      if (ended.ended_at > since) oldest = std::min(oldest, ended.oldest_segment);
    if (!by_live) continue;
    for (const auto& [id, live] : shard.live)
      oldest = std::min(oldest, oldest_segment(live.log.runs, oldest));
  }
  return oldest;
}

/// Removes the oldest segments, up to the first that holds something of a job that ended less than
/// `events_ttl` ago. What jobs that live have in them is moved to the newest, so that a long one
/// keeps nothing but itself.
void SegmentLog::purge(WallTime now) {
  const WallTime since = now - std::chrono::floor<WallTime::duration>(options_.events_ttl);
  const std::uint32_t wanted = oldest_needed(since, false);
  if (ended_.older_than(wanted).empty()) return;
  move_out_of(wanted);
  const std::uint32_t before = oldest_needed(since, true);
  std::size_t removed = 0;
  for (const auto segment : ended_.older_than(before)) {
    ended_.remove(segment);
    // The index last: without its segment it is removed at the next start, alone it would tell of
    // jobs that are no more.
    folder_.remove(Folder::segment_name(segment));
    folder_.remove(Folder::index_name(segment));
    ++removed;
  }
  if (removed > 0) log::info("segments_removed", {{"count", removed}, {"before", before}});
}

void SegmentLog::move_out_of(std::uint32_t before) {
  for (Shard& shard : shards_) {
    std::vector<JobId> ids;
    {
      const std::lock_guard lock(shard.mutex);
      for (const auto& [id, live] : shard.live)
        if (oldest_segment(live.log.runs, before) < before) ids.push_back(id);
    }
    for (const JobId& id : ids) rewrite(id, std::nullopt);
  }
}

}  // namespace millrace::disk
