#include "shared/disk/run_reader.h"
#include "shared/disk/segment_log.h"
#include "shared/runtime/log.h"

namespace millrace::disk {
namespace {

/// A page ends here too: lines may be long.
constexpr std::size_t page_bytes = 1024 * 1024;

LogState told(const JobLog& log, bool held) {
  const auto& [identity, standing, runs] = log;
  return {.state = standing.state,
          .last = standing.last,
          .attempt = standing.attempt,
          .acknowledged = standing.acknowledged,
          .cancel_wanted = standing.cancel_wanted,
          .held = held,
          .tenant = identity.tenant,
          .session = identity.session,
          .kind = identity.kind,
          .created_at = identity.created_at,
          .deadline = identity.deadline};
}

/// What has become unreadable counts as gone: the Store has the result.
Errc gone(const JobId& id, Errc why) {
  if (why == Errc::timed_out) return why;
  if (why == Errc::corrupt) log::error("events_unreadable", {{"job", id.str()}});
  return Errc::not_found;
}

}  // namespace

/// Nothing for a job that ended too long ago, whether it was removed by now or not.
std::optional<EndedJob> SegmentLog::find_ended(const Shard& shard, const JobId& id,
                                               WallTime now) const {
  std::optional<EndedJob> ended;
  if (const auto found = shard.ended.find(id); found != shard.ended.end())
    ended = found->second;
  else
    ended = ended_.find(id);
  if (ended && ended->ended_at + options_.events_ttl <= now) ended.reset();
  return ended;
}

Result<JobLog> SegmentLog::read_record(const EndedJob& ended, Patience patience) const {
  const File file = folder_.open(Folder::segment_name(ended.record.segment));
  if (!file) return Failure(gone(ended.id, Errc::not_found));
  std::string head;
  const auto head_read = file.read(head, ended.record.offset, entry_head_bytes, patience);
  if (!head_read) return Failure(gone(ended.id, head_read.error()));
  const auto facts = facts_in(head);
  if (!facts || facts->kind != Kind::record || facts->id != ended.id)
    return Failure(gone(ended.id, Errc::corrupt));
  std::string meta;
  const std::uint64_t meta_at = ended.record.offset + entry_head_bytes;
  const auto meta_read = file.read(meta, meta_at, facts->meta, patience);
  if (!meta_read) return Failure(gone(ended.id, meta_read.error()));
  auto log = decode_record(meta);
  if (!log) return Failure(gone(ended.id, Errc::corrupt));
  if (facts->count > 0)
    log->runs.push_back({.segment = ended.record.segment,
                         .offset = static_cast<std::uint32_t>(meta_at + meta.size()),
                         .length = static_cast<std::uint32_t>(facts->lines),
                         .count = facts->count,
                         .first = facts->expected + 1});
  return std::move(*log);
}

Result<LogPage> SegmentLog::read(const JobId& id, Seq after, WallTime now, Patience patience) {
  // Once more where the lines were moved while they were looked for.
  for (int round = 0; round < 2; ++round) {
    LogPage page;
    RunChoice choice;
    const auto choose = [&](const JobLog& log) {
      page.state = log.standing.state;
      page.last = log.standing.last;
      page.tenant = log.identity.tenant;
      choice = choose_runs(log.runs, after, limits::log_page_events, page_bytes);
    };
    Shard& shard = shard_of(id);
    std::unique_lock lock(shard.mutex);
    if (const auto found = shard.live.find(id); found != shard.live.end()) {
      choose(found->second.log);
      lock.unlock();
    } else {
      const auto ended = find_ended(shard, id, now);
      lock.unlock();
      if (!ended) return Failure(Errc::not_found);
      const auto record = read_record(*ended, patience);
      if (!record) return Failure(record.error());
      choose(*record);
    }
    auto lines = RunReader(folder_, patience).read(choice.runs);
    if (!lines && lines.error() == Errc::not_found && round == 0) continue;
    if (!lines) return Failure(gone(id, lines.error()));
    page.lines = std::move(*lines);
    page.more = cut_page(page.lines, after, limits::log_page_events) || choice.more;
    return page;
  }
  return Failure(Errc::not_found);
}

void SegmentLog::read_later(const JobId& id, Seq after, WallTime now, PageRead told) {
  reads_.ask([this, id, after, now, told = std::move(told)] {
    told(read(id, after, now, Patience::any));
  });
}

Result<std::optional<LogState>> SegmentLog::state(const JobId& id, Now at) {
  Shard& shard = shard_of(id);
  std::unique_lock lock(shard.mutex);
  if (const auto found = shard.live.find(id); found != shard.live.end()) {
    const Live& live = found->second;
    return told(live.log, live.log.standing.held() && live.lease_until > at.now);
  }
  const auto ended = find_ended(shard, id, at.wall);
  lock.unlock();
  if (!ended) return std::nullopt;
  const auto record = read_record(*ended);
  if (!record && record.error() == Errc::not_found) return std::nullopt;
  if (!record) return Failure(record.error());
  return told(*record, false);
}

Result<std::vector<std::optional<LogState>>> SegmentLog::states(std::span<const JobId> ids,
                                                                Now at) {
  std::vector<std::optional<LogState>> found;
  found.reserve(ids.size());
  for (const JobId& id : ids) {
    auto stands = state(id, at);
    if (!stands) return Failure(stands.error());
    found.push_back(std::move(*stands));
  }
  return found;
}

}  // namespace millrace::disk
