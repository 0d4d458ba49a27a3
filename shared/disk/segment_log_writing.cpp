#include "shared/disk/segment_log.h"

namespace millrace::disk {
namespace {

Identity identity_of(const Job& job, std::string_view fingerprint) {
  return {.tenant = job.tenant,
          .session = job.session,
          .kind = job.kind,
          .fingerprint = std::string(fingerprint),
          .created_at = job.created_at,
          .deadline = job.deadline};
}

Accepted told(const JobLog& log) {
  return {.fresh = false,
          .acknowledged = log.standing.acknowledged,
          .fingerprint = log.identity.fingerprint,
          .state = log.standing.state};
}

Begun told_ended(const Standing& standing) {
  Begun begun;
  begun.outcome = Begun::Outcome::terminal;
  begun.state = standing.state;
  begun.last = standing.last;
  begun.errors = standing.errors;
  begun.lost_runs = standing.lost_runs;
  begun.cancel_wanted = standing.cancel_wanted;
  return begun;
}

}  // namespace

Result<Place> SegmentLog::write(const Entry& entry) {
  const auto place = writer_->write(entry);
  if (place) note_written(*place, size_of(entry));
  return place;
}

/// All that is known of the job, with `count` lines that its standing counts already.
Result<> SegmentLog::write_record(const JobId& id, Live& live, std::string_view lines,
                                  std::uint32_t count) {
  std::string meta;
  encode(meta, live.log.identity, live.log.standing, live.log.runs);
  const Seq expected = live.log.standing.last - count;
  const Entry entry{.kind = Kind::record,
                    .id = id,
                    .expected = expected,
                    .count = count,
                    .meta = meta,
                    .lines = lines};
  const auto place = write(entry);
  if (!place) return Failure(place.error());
  live.restated = place->segment;
  add_run(live, {.segment = place->segment,
                 .offset = place->offset + static_cast<std::uint32_t>(lines_offset(entry)),
                 .length = static_cast<std::uint32_t>(lines.size()),
                 .count = count,
                 .first = expected + 1});
  return {};
}

Result<> SegmentLog::write_standing(const JobId& id, Live& live, const Standing& after) {
  std::string meta;
  encode(meta, after);
  const auto place = write(Entry{.kind = Kind::standing, .id = id, .meta = meta});
  if (!place) return Failure(place.error());
  live.log.standing = after;
  return {};
}

Result<Accepted> SegmentLog::accept(const Job& job, std::string_view fingerprint,
                                    std::string_view queued_line, Now at) {
  if (!numbered_after(0, 1, queued_line)) return Failure(Errc::invalid);
  Shard& shard = shard_of(job.id);
  std::unique_lock lock(shard.mutex);
  if (const auto found = shard.live.find(job.id); found != shard.live.end())
    return told(found->second.log);
  if (const auto ended = find_ended(shard, job.id, at.wall)) {
    lock.unlock();
    const auto record = read_record(*ended);
    if (!record) return Failure(record.error());
    return told(*record);
  }
  Live live{.log = {.identity = identity_of(job, fingerprint), .standing = {}, .runs = {}}};
  live.log.standing.last = 1;
  live.log.standing.era = era_;
  const std::string session = session_of(live.log.identity);
  const bool alone = job.on_busy == "reject";
  if (!sessions_.join(session, job.created_at, job.id, alone ? 1 : options_.session_jobs_max))
    return Failure(alone ? Errc::conflict : Errc::overloaded);
  const auto done = write_record(job.id, live, queued_line, 1);
  if (!done) {
    sessions_.leave(session, job.created_at, job.id);
    return Failure(done.error());
  }
  Accepted accepted = told(live.log);
  accepted.fresh = true;
  shard.live.emplace(job.id, std::move(live));
  tell(shard, job.id, queued_line);
  sessions_.announce(session, job.id);
  return accepted;
}

/// Not written: it goes with the next standing, and a crash before costs a second copy at most.
void SegmentLog::acknowledge(const JobId& id) {
  Shard& shard = shard_of(id);
  const std::lock_guard lock(shard.mutex);
  if (const auto found = shard.live.find(id); found != shard.live.end())
    found->second.log.standing.acknowledged = true;
}

Result<> SegmentLog::withdraw(const JobId& id) {
  Shard& shard = shard_of(id);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.live.find(id);
  if (found == shard.live.end()) return {};
  const auto& [identity, standing, runs] = found->second.log;
  if (standing.state != JobState::queued || standing.acknowledged || standing.attempt > 0)
    return {};
  const auto place = write(Entry{.kind = Kind::gone, .id = id});
  if (!place) return Failure(place.error());
  sessions_.leave(session_of(identity), identity.created_at, id);
  shard.live.erase(found);
  return {};
}

/// A record that ended long ago stands in the place of the last one. The lines go with their
/// segments.
Result<> SegmentLog::forget(const JobId& id, Now at) {
  Shard& shard = shard_of(id);
  const std::lock_guard lock(shard.mutex);
  if (shard.live.contains(id)) return Failure(Errc::conflict);
  const auto ended = find_ended(shard, id, at.wall);
  if (!ended) return {};
  auto log = read_record(*ended);
  if (!log && log.error() == Errc::not_found) return {};
  if (!log) return Failure(log.error());
  log->standing.ended_at = WallTime{};
  log->runs.clear();
  std::string meta;
  encode(meta, log->identity, log->standing, log->runs);
  const auto place =
      write(Entry{.kind = Kind::record, .id = id, .expected = log->standing.last, .meta = meta});
  if (!place) return Failure(place.error());
  shard.ended[id] = {.id = id, .record = *place, .oldest_segment = place->segment, .ended_at = {}};
  return {};
}

Result<Begun> SegmentLog::begin(const BeginRequest& request, Now at) {
  const JobId& id = request.job.id;
  Shard& shard = shard_of(id);
  std::unique_lock lock(shard.mutex);
  const auto found = shard.live.find(id);
  if (found == shard.live.end()) {
    const auto ended = find_ended(shard, id, at.wall);
    if (!ended) return begin_missing(shard, request, at);
    lock.unlock();
    const auto record = read_record(*ended);
    if (!record) return Failure(record.error());
    return told_ended(record->standing);
  }
  Live& live = found->second;
  const auto decision = decide_begin(live.log.standing, live.lease_until, request, moment(at));
  if (decision.begun.outcome != Begun::Outcome::granted) return decision.begun;
  if (decision.to_write) {
    const auto done = write_standing(id, live, decision.after);
    if (!done) return Failure(done.error());
  }
  live.lease_until = at.now + options_.lease_for;
  live.worker = request.worker;
  return decision.begun;
}

/// A job that nobody began gets its `queued` line again: readers may hold number 1 already, so
/// nothing else may take it. The fingerprint is not known here and stays empty.
Result<Begun> SegmentLog::begin_missing(Shard& shard, const BeginRequest& request, Now at) {
  const Job& job = request.job;
  Live live{.log = {.identity = identity_of(job, ""), .standing = {}, .runs = {}}};
  Standing& standing = live.log.standing;
  standing.acknowledged = true;
  std::string line;
  if (!request.begun_before && request.known == 0) {
    EventWriter(job.id, job.created_at).queued(line, {1, job.created_at}, -1, -1);
    standing.last = 1;
    standing.era = era_;
  }
  const auto decision = decide_begin(standing, {}, request, moment(at));
  standing = decision.after;
  const auto done = write_record(job.id, live, line, line.empty() ? 0 : 1);
  if (!done) return Failure(done.error());
  live.lease_until = at.now + options_.lease_for;
  live.worker = request.worker;
  const std::string session = session_of(live.log.identity);
  sessions_.join(session, job.created_at, job.id, std::size_t(-1));
  shard.live.emplace(job.id, std::move(live));
  tell(shard, job.id, line);
  sessions_.announce(session, job.id);
  return decision.begun;
}

Result<Appended> SegmentLog::append(const AppendRequest& request, Now at) {
  if (!numbered_after(request.expected, request.count, request.lines))
    return Failure(Errc::invalid);
  Shard& shard = shard_of(request.id);
  std::unique_lock lock(shard.mutex);
  const auto found = shard.live.find(request.id);
  if (found == shard.live.end()) {
    const auto ended = find_ended(shard, request.id, at.wall);
    if (!ended) return Failure(Errc::lost);
    lock.unlock();
    const auto record = read_record(*ended);
    if (!record) return Failure(record.error());
    const auto decision = decide_append(record->standing, request, moment(at));
    if (!decision) return Failure(decision.error());
    return Appended{.cancel_wanted = record->standing.cancel_wanted};
  }
  Live& live = found->second;
  const auto decision = decide_append(live.log.standing, request, moment(at));
  if (!decision) return Failure(decision.error());
  const Appended appended{.cancel_wanted = live.log.standing.cancel_wanted};
  if (decision->to_write) {
    const bool ends = terminal(decision->after.state);
    const auto done = ends ? write_end(shard, live, request, decision->after)
                           : write_lines(live, request, decision->after);
    if (!done) return Failure(done.error());
    tell(shard, request.id, request.lines);
    if (ends) return appended;
    if ((live.events > options_.log_events_max || live.bytes > options_.log_bytes_max) &&
        !std::exchange(live.shortening, true))
      upkeep_.shorten(request.id, at.wall);
  }
  if (live.log.standing.held()) live.lease_until = at.now + options_.lease_for;
  return appended;
}

Result<> SegmentLog::write_lines(Live& live, const AppendRequest& request, const Standing& after) {
  const Entry entry{.kind = Kind::lines,
                    .id = request.id,
                    .expected = request.expected,
                    .count = request.count,
                    .state = request.state,
                    .lines = request.lines};
  const auto place = write(entry);
  if (!place) return Failure(place.error());
  live.log.standing = after;
  add_run(live, {.segment = place->segment,
                 .offset = place->offset + static_cast<std::uint32_t>(lines_offset(entry)),
                 .length = static_cast<std::uint32_t>(request.lines.size()),
                 .count = request.count,
                 .first = request.expected + 1});
  return {};
}

/// The last record of a job: it names all of its runs, so nothing of it stays in memory.
Result<> SegmentLog::write_end(Shard& shard, Live& live, const AppendRequest& request,
                               const Standing& after) {
  const Standing before = std::exchange(live.log.standing, after);
  std::string meta;
  encode(meta, live.log.identity, after, live.log.runs);
  const auto place = write(Entry{.kind = Kind::record,
                                 .id = request.id,
                                 .expected = request.expected,
                                 .count = request.count,
                                 .meta = meta,
                                 .lines = request.lines});
  if (!place) {
    live.log.standing = before;
    return Failure(place.error());
  }
  shard.ended[request.id] = {.id = request.id,
                             .record = *place,
                             .oldest_segment = oldest_segment(live.log.runs, place->segment),
                             .ended_at = after.ended_at};
  const Identity& identity = live.log.identity;
  sessions_.leave(session_of(identity), identity.created_at, request.id);
  shard.live.erase(request.id);
  return {};
}

Result<LogState> SegmentLog::cancel(const JobId& id, Now at) {
  {
    Shard& shard = shard_of(id);
    const std::lock_guard lock(shard.mutex);
    if (const auto found = shard.live.find(id); found != shard.live.end()) {
      Live& live = found->second;
      if (!live.log.standing.cancel_wanted) {
        Standing after = live.log.standing;
        after.cancel_wanted = true;
        const auto done = write_standing(id, live, after);
        if (!done) return Failure(done.error());
      }
      const std::lock_guard cancels_lock(cancels_mutex_);
      const auto heard = cancels_.find(live.worker);
      if (live.log.standing.held() && heard != cancels_.end())
        for (Inbox* const inbox : heard->second) inbox->put_cancel(id, live.worker);
    }
  }
  const auto stands = state(id, at);
  if (!stands) return Failure(stands.error());
  if (!*stands) return Failure(Errc::not_found);
  return **stands;
}

}  // namespace millrace::disk
