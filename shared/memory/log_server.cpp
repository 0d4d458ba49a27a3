#include "shared/memory/log_server.h"

#include <algorithm>

#include "shared/contract/keys.h"
#include "shared/contract/log_cap.h"

namespace millrace::memory {
namespace {

/// A job without a record is taken for one that is being accepted until it is this old.
constexpr auto accepting_max = std::chrono::minutes(1);

std::chrono::microseconds us(Duration time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time);
}

}  // namespace

// --- records

LogServer::Record* LogServer::find(const JobId& id) {
  const auto found = records_.find(id);
  if (found == records_.end()) return nullptr;
  if (found->second.expires > time_()) return &found->second;
  records_.erase(found);
  return nullptr;
}

LogServer::Record& LogServer::make(const Job& job, std::string_view fingerprint,
                                   std::string_view line, bool made_again) {
  Record& record = records_[job.id] = {};
  record.fingerprint = fingerprint;
  record.tenant = job.tenant;
  record.session = job.session;
  record.kind = job.kind;
  record.created_at = job.created_at;
  record.deadline = job.deadline;
  record.acknowledged = made_again;
  if (!line.empty()) {
    record.run = run_;
    record.seq = 1;
    record.lines.push_back({1, std::string(line)});
    record.bytes = line.size();
    publish(keys::events(job.id), line);
  }
  if (!job.session.empty()) publish(keys::session_live(job.tenant, job.session), job.id.str());
  return record;
}

LogState LogServer::state_of(const Record& record) const {
  LogState state;
  state.state = record.state;
  state.last = record.seq;
  state.attempt = record.attempt;
  state.acknowledged = record.acknowledged;
  state.cancel_wanted = record.cancel;
  state.held = !terminal(record.state) && record.holder && record.lease > time_();
  state.tenant = record.tenant;
  state.session = record.session;
  state.kind = record.kind;
  state.created_at = record.created_at;
  state.deadline = record.deadline;
  return state;
}

// --- accepting

Result<Accepted> LogServer::accept(const Job& job, const std::string& fingerprint,
                                   const std::string& line) {
  if (!numbered_after(0, 1, line)) return Failure(Errc::invalid);
  const bool alone = job.on_busy == "reject";
  const std::size_t jobs_max = alone ? 1 : options_.session_jobs_max;
  if (!job.session.empty() && !join_session(job, jobs_max) && !find(job.id))
    return Failure(alone ? Errc::conflict : Errc::overloaded);
  if (const Record* stands = find(job.id)) {
    if (terminal(stands->state)) leave_session(job.tenant, job.session, job.id);
    return Accepted{.fresh = false,
                    .acknowledged = stands->acknowledged,
                    .fingerprint = stands->fingerprint,
                    .state = stands->state};
  }
  make(job, fingerprint, line, false);
  return Accepted{.fresh = true, .acknowledged = false, .fingerprint = fingerprint};
}

void LogServer::acknowledge(const JobId& id) {
  if (Record* record = find(id)) record->acknowledged = true;
}

void LogServer::withdraw(const Job& job) {
  const Record* record = find(job.id);
  const bool ours =
      record && record->state == JobState::queued && !record->acknowledged && record->attempt == 0;
  if (record && !ours) return;
  records_.erase(job.id);
  leave_session(job.tenant, job.session, job.id);
}

Result<> LogServer::forget(const JobId& id) {
  const Record* record = find(id);
  if (record && !terminal(record->state)) return Failure(Errc::conflict);
  records_.erase(id);
  return {};
}

// --- the lease

Begun LogServer::take_lease(const BeginRequest& request, std::uint64_t run) {
  Record* stands = find(request.job.id);
  if (!stands) {
    const bool log_lost = request.begun_before || request.known > 0;
    std::string line;
    if (!log_lost)
      EventWriter(request.job.id, request.job.created_at)
          .queued(line, {1, request.job.created_at}, -1, -1);
    stands = &make(request.job, "", line, true);
  }
  Record& record = *stands;
  Begun begun;
  begun.state = record.state;
  begun.last = record.seq;
  begun.errors = record.errors;
  begun.lost_runs = record.lost;
  begun.cancel_wanted = record.cancel;
  if (terminal(record.state)) {
    begun.outcome = Begun::Outcome::terminal;
    return begun;
  }
  const auto now = time_();
  const bool mine = record.holder == request.token;
  if (request.known > 0 && record.attempt > 0 && record.last_holder != request.token) {
    begun.outcome = Begun::Outcome::busy;
    begun.busy_for = std::max(record.lease - now, std::chrono::microseconds(0));
    return begun;
  }
  if (!mine && record.holder) {
    if (record.lease <= now) {
      begun.lost_runs = ++record.lost;
    } else if (!request.force) {
      begun.outcome = Begun::Outcome::busy;
      begun.busy_for = record.lease - now;
      return begun;
    }
  }
  const bool whole = record.seq >= request.known &&
                     (mine || record.run == run || (record.attempt == 0 && !request.begun_before));
  if (record.gap_at != record.seq) record.gap_from.reset();
  if (!whole) {
    if (!record.gap_from) record.gap_from = record.seq + 1;
    const auto clock = bugs_.numbers_start_over ? Seq{0} : static_cast<Seq>(now.count());
    record.seq =
        std::max({clock, bugs_.numbers_start_over ? Seq{0} : request.known + 1, record.seq + 1});
    record.gap_at = record.seq;
  }
  record.state = JobState::running;
  record.holder = record.last_holder = request.token;
  record.control = keys::worker_control(request.worker);
  if (!mine || !bugs_.no_renewal) record.lease = now + us(options_.lease_for);
  record.run = run;
  record.attempt = record.errors + record.lost + 1;
  begun.last = record.seq;
  if (!bugs_.gap_is_not_told) begun.gap_from = record.gap_from;
  return begun;
}

bool LogServer::same_append(const Record& record, const AppendRequest& request, Seq last) {
  return record.seq == last &&
         (last != request.expected || (request.state && record.state == *request.state));
}

Result<Appended> LogServer::append(const AppendRequest& request, std::uint64_t run) {
  if (!numbered_after(request.expected, request.count, request.lines))
    return Failure(Errc::invalid);
  Record* stands = find(request.id);
  if (!stands) return Failure(Errc::lost);
  Record& record = *stands;
  const Seq last = request.expected + request.count;
  const bool same = same_append(record, request, last);
  const Appended told{.cancel_wanted = record.cancel};
  if (record.holder != request.token && !bugs_.missing_fence) {
    const bool given_back = same && !record.holder && request.state &&
                            record.state == *request.state && record.last_holder == request.token;
    if (given_back) return told;
    return Failure(Errc::fenced);
  }
  if (same && (!request.state || record.state == *request.state)) {
    if (!bugs_.repeat_appends_again || terminal(record.state)) return told;
    publish(keys::events(request.id), request.lines);
    EventLine event;
    for (auto rest = request.lines; next_event(rest, event);)
      record.lines.push_back({event.seq, std::string(event.whole)});
    return told;
  }
  if (record.run != run) return Failure(Errc::lost);
  if (record.state != JobState::running) return Failure(Errc::fenced);
  if (record.seq != request.expected) return Failure(Errc::lost);
  write(request, record, last);
  return told;
}

void LogServer::write(const AppendRequest& request, Record& record, Seq last) {
  if (appended_) appended_(request.id, request.token, record.holder, request.lines);
  EventLine event;
  for (auto rest = request.lines; next_event(rest, event);)
    record.lines.push_back({event.seq, std::string(event.whole)});
  record.bytes += request.lines.size();
  record.seq = last;
  if (!request.state) {
    record.lease = time_() + us(options_.lease_for);
  } else if (terminal(*request.state)) {
    record.state = *request.state;
    record.expires = time_() + us(options_.events_ttl);
    leave_session(record.tenant, record.session, request.id);
  } else {
    record.state = *request.state;
    record.holder.reset();
    if (record.state == JobState::retrying) ++record.errors;
  }
  if (request.count > 0) publish(keys::events(request.id), request.lines);
  if (record.lines.size() > options_.log_events_max || record.bytes > options_.log_bytes_max)
    shorten(request.id, record);
}

void LogServer::shorten(const JobId& id, Record& record) {
  const KeptEvents kept{
      .events_max = std::min<std::size_t>(1000, options_.log_events_max / 4),
      .bytes_max = std::min<std::size_t>(1024 * 1024, options_.log_bytes_max / 4)};
  std::string whole;
  for (const auto& line : record.lines) whole += line.text;
  const WallTime now(std::chrono::duration_cast<std::chrono::milliseconds>(time_()));
  const auto shorter = shortened(whole, EventWriter(id, record.created_at), now, kept);
  if (shorter.from == 0) return;
  std::vector<Line> lines;
  EventLine event;
  for (std::string_view rest = shorter.lines; next_event(rest, event);)
    lines.push_back({event.seq, std::string(event.whole)});
  for (auto& line : record.lines)
    if (line.seq >= shorter.from) lines.push_back(std::move(line));
  record.lines = std::move(lines);
  record.bytes = 0;
  for (const auto& line : record.lines) record.bytes += line.text.size();
}

// --- reading

Result<LogPage> LogServer::read(const JobId& id, Seq after) {
  const Record* record = find(id);
  if (!record) return Failure(Errc::not_found);
  LogPage page;
  page.last = record->seq;
  page.state = record->state;
  page.tenant = record->tenant;
  std::size_t count = 0;
  auto line = std::ranges::upper_bound(record->lines, after, {}, &Line::seq);
  for (; line != record->lines.end() && count < limits::log_page_events; ++line, ++count)
    page.lines += line->text;
  page.more = line != record->lines.end();
  return page;
}

std::vector<std::optional<LogState>> LogServer::states(const std::vector<JobId>& ids) {
  std::vector<std::optional<LogState>> found;
  for (const auto& id : ids) {
    const Record* record = find(id);
    found.push_back(record ? std::optional(state_of(*record)) : std::nullopt);
  }
  return found;
}

Result<LogState> LogServer::cancel(const JobId& id) {
  Record* record = find(id);
  if (!record) return Failure(Errc::not_found);
  if (!terminal(record->state) && !bugs_.cancel_wakes_nobody) {
    record->cancel = true;
    if (record->holder) publish(record->control, id.str());
  }
  return state_of(*record);
}

std::string LogServer::claim_store(const std::string& id) {
  if (store_id_.empty()) store_id_ = id;
  return store_id_;
}

// --- sessions

bool LogServer::join_session(const Job& job, std::size_t jobs_max) {
  const std::string key = keys::session_live(job.tenant, job.session);
  auto& live = sessions_[key];
  const std::pair entry(job.created_at, job.id);
  if (live.contains(entry)) return true;
  if (live.size() >= jobs_max) session_jobs(key);
  if (live.size() >= jobs_max) return false;
  live.insert(entry);
  return true;
}

void LogServer::leave_session(const std::string& tenant, const std::string& session,
                              const JobId& id) {
  const auto found = sessions_.find(keys::session_live(tenant, session));
  if (found == sessions_.end()) return;
  std::erase_if(found->second, [&](const auto& entry) { return entry.second == id; });
}

std::vector<JobId> LogServer::session_jobs(const std::string& key) {
  std::vector<JobId> ids;
  const auto found = sessions_.find(key);
  if (found == sessions_.end()) return ids;
  const auto new_since =
      WallTime(std::chrono::duration_cast<std::chrono::milliseconds>(time_())) - accepting_max;
  std::erase_if(found->second, [&](const auto& entry) {
    const Record* record = find(entry.second);
    const bool live = record ? !terminal(record->state) : entry.first > new_since;
    if (live) ids.push_back(entry.second);
    return !live;
  });
  return ids;
}

void LogServer::list_in_session(const Job& job) {
  sessions_[keys::session_live(job.tenant, job.session)].emplace(job.created_at, job.id);
}

// --- pub/sub

void LogServer::subscribe(const std::string& channel, const std::shared_ptr<Ear>& ear) {
  auto& ears = ears_[channel];
  for (const auto& one : ears)
    if (one.lock() == ear) return;
  ears.push_back(ear);
}

void LogServer::unsubscribe(const std::string& channel, const Ear* ear) {
  const auto found = ears_.find(channel);
  if (found == ears_.end()) return;
  std::erase_if(found->second, [ear](const auto& one) {
    const auto stands = one.lock();
    return !stands || stands.get() == ear;
  });
  if (found->second.empty()) ears_.erase(found);
}

void LogServer::publish(const std::string& channel, std::string_view payload) {
  const auto found = ears_.find(channel);
  if (found == ears_.end()) return;
  const auto told = std::make_shared<const std::string>(payload);
  for (const auto& one : found->second) {
    const auto ear = one.lock();
    if (!ear) continue;
    ear->link.push([weak = std::weak_ptr(ear), channel, told] {
      if (const auto here = weak.lock()) here->heard(channel, *told);
    });
  }
}

// --- what happens to it

void LogServer::lose(const JobId& id) {
  records_.erase(id);
}

void LogServer::lose_last_event(const JobId& id) {
  Record* record = find(id);
  if (!record || record->lines.empty()) return;
  record->bytes -= record->lines.back().text.size();
  record->lines.pop_back();
  --record->seq;
}

void LogServer::lose_everything() {
  records_.clear();
  sessions_.clear();
  store_id_.clear();
}

std::optional<Token> LogServer::holder(const JobId& id) const {
  const auto found = records_.find(id);
  if (found == records_.end() || terminal(found->second.state)) return std::nullopt;
  return found->second.holder;
}

std::string LogServer::held_by(const JobId& id) const {
  const auto found = records_.find(id);
  return found == records_.end() || !found->second.holder ? "" : found->second.control;
}

}  // namespace millrace::memory
