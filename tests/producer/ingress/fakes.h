#pragma once
#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "shared/contract/event.h"
#include "shared/event_log.h"
#include "shared/job_queue.h"
#include "shared/runtime/clock.h"
#include "shared/runtime/nursery.h"
#include "shared/store.h"

/// The three ports in memory, true to their headers, with faults switched on by the test.
namespace millrace::ingress_test {

inline constexpr auto port_latency = 1ms;

class FakeQueue final : public JobQueue {
 public:
  explicit FakeQueue(Clock& clock) : clock_(clock) {}

  std::optional<Errc> fails;  ///< what `enqueue` answers
  bool keeps_when_timed_out = true;
  Duration latency = port_latency;
  std::optional<QueueLag> lag_known;
  std::vector<Job> jobs;

  Task<Result<>> enqueue(const Job& job) override {
    const auto fault = fails;
    co_await clock_.sleep_for(latency);
    if (!fault || (*fault == Errc::timed_out && keeps_when_timed_out)) jobs.push_back(job);
    if (fault) co_return Failure(*fault);
    co_return Result<>();
  }
  Task<Result<Delivery>> next() override { co_return Failure(Errc::closed); }
  Task<Result<>> settle(const Delivery&, Verdict, std::string) override { co_return Result<>(); }
  void release(const Delivery&, Instant) override {}
  std::optional<QueueLag> lag(const Job&) override { return lag_known; }

 private:
  Clock& clock_;
};

class FakeLog final : public EventLog {
 public:
  explicit FakeLog(Clock& clock) : clock_(clock) {}

  struct Record {
    Job job;
    std::string fingerprint;
    bool acknowledged = false;
    JobState state = JobState::queued;
    std::optional<Token> token;
    Instant lease_until{};
    std::uint32_t attempt = 0;
    bool cancel_wanted = false;
    Seq last = 0;
    std::vector<std::pair<Seq, std::string>> lines;
  };
  std::map<JobId, Record> records;
  std::optional<Errc> fails;  ///< every call, after `latency`
  std::optional<Errc> append_fails;
  Duration latency = port_latency;
  bool loses_news = false;  ///< watchers hear nothing
  std::size_t session_jobs_max = limits::session_jobs_max;
  std::size_t appends = 0;

  void lose_all() { records.clear(); }
  std::string lines_of(const JobId& id) const {
    std::string all;
    for (const auto& [seq, line] : records.at(id).lines) all += line;
    return all;
  }
  std::string text_of(const JobId& id) const {
    TextFold fold;
    const std::string all = lines_of(id);
    std::string_view rest = all;
    EventLine event;
    while (next_event(rest, event)) fold.take(event);
    return fold.text();
  }

  Task<Result<Accepted>> accept(const Job& job, std::string_view fingerprint,
                                std::string_view queued_line) override {
    const std::string print(fingerprint);
    const std::string line(queued_line);
    co_await clock_.sleep_for(latency);
    if (fails) co_return Failure(*fails);
    const auto found = records.find(job.id);
    if (found != records.end()) {
      const Record& r = found->second;
      co_return Accepted{false, r.acknowledged, r.fingerprint, r.state};
    }
    const bool alone = job.on_busy == "reject";
    if (!job.session.empty() && live(job.session) >= (alone ? 1 : session_jobs_max))
      co_return Failure(alone ? Errc::conflict : Errc::overloaded);
    Record& r = records[job.id];
    r.job = job;
    r.fingerprint = print;
    r.last = 1;
    r.lines.emplace_back(1, line);
    co_return Accepted{true, false, print, JobState::queued};
  }

  void acknowledge(const Job& job) override {
    const auto found = records.find(job.id);
    if (!fails && found != records.end()) found->second.acknowledged = true;
  }

  Task<Result<>> withdraw(const Job& job) override {
    co_await clock_.sleep_for(latency);
    if (fails) co_return Failure(*fails);
    const auto found = records.find(job.id);
    if (found != records.end() && !found->second.acknowledged && found->second.attempt == 0)
      records.erase(found);
    co_return Result<>();
  }

  Task<Result<>> forget(const JobId& id) override {
    const JobId asked = id;
    co_await clock_.sleep_for(latency);
    if (fails) co_return Failure(*fails);
    const auto found = records.find(asked);
    if (found == records.end()) co_return Result<>();
    if (!terminal(found->second.state)) co_return Failure(Errc::conflict);
    records.erase(found);
    co_return Result<>();
  }

  Task<Result<Begun>> begin(const BeginRequest& request) override {
    co_await clock_.sleep_for(latency);
    if (fails) co_return Failure(*fails);
    Begun begun;
    const bool missing = !records.contains(request.job.id);
    Record& r = records[request.job.id];
    if (missing) {
      r.job = request.job;
      if (request.begun_before) {
        r.last = 1'000'000;
        begun.gap_from = request.known + 1;
      }
    }
    begun.state = r.state;
    begun.last = r.last;
    begun.cancel_wanted = r.cancel_wanted;
    if (terminal(r.state)) {
      begun.outcome = Begun::Outcome::terminal;
      co_return begun;
    }
    const bool others = r.token && *r.token != request.token && clock_.now() < r.lease_until;
    if (others && !request.force) {
      begun.outcome = Begun::Outcome::busy;
      begun.busy_for = r.lease_until - clock_.now();
      co_return begun;
    }
    if (r.token != request.token) ++r.attempt;
    r.token = request.token;
    r.lease_until = clock_.now() + limits::lease_for;
    r.state = JobState::running;
    co_return begun;
  }

  Task<Result<Appended>> append(const AppendRequest& request) override {
    const std::string lines(request.lines);
    const AppendRequest asked = request;
    co_await clock_.sleep_for(latency);
    if (append_fails) co_return Failure(*append_fails);
    if (fails) co_return Failure(*fails);
    const auto found = records.find(asked.id);
    if (found == records.end()) co_return Failure(Errc::lost);
    Record& r = found->second;
    if (r.token != asked.token) co_return Failure(Errc::fenced);
    if (r.last != asked.expected) co_return Failure(Errc::lost);
    ++appends;
    std::string_view rest = lines;
    EventLine event;
    while (next_event(rest, event)) {
      r.lines.emplace_back(event.seq, std::string(event.whole));
      r.last = event.seq;
    }
    if (asked.state) {
      r.state = *asked.state;
      if (*asked.state != JobState::running) r.token.reset();
    }
    for (LogWatcher* watcher : watchers(asked.id)) watcher->on_lines(lines);
    co_return Appended{r.cancel_wanted};
  }

  Task<Result<LogPage>> read(const JobId& id, Seq after) override {
    const JobId asked = id;
    co_await clock_.sleep_for(latency);
    if (fails) co_return Failure(*fails);
    const auto found = records.find(asked);
    if (found == records.end()) co_return Failure(Errc::not_found);
    LogPage page;
    page.last = found->second.last;
    page.state = found->second.state;
    page.tenant = found->second.job.tenant;
    std::size_t count = 0;
    for (const auto& [seq, line] : found->second.lines) {
      if (seq <= after) continue;
      if (count++ == limits::log_page_events) {
        page.more = true;
        break;
      }
      page.lines += line;
    }
    co_return page;
  }

  void watch(const JobId& id, LogWatcher& watcher) override {
    watchers_.emplace(id, &watcher);
    if (!loses_news) watcher.on_uncertain();
  }
  void unwatch(const JobId& id, LogWatcher& watcher) override { watchers_.erase({id, &watcher}); }
  bool watched() const { return !watchers_.empty(); }

  Task<Result<std::vector<JobId>>> session_jobs(std::string_view,
                                                std::string_view session) override {
    const std::string name(session);
    co_await clock_.sleep_for(latency);
    if (fails) co_return Failure(*fails);
    std::set<std::pair<WallTime, JobId>> live;
    for (const auto& [id, record] : records)
      if (record.job.session == name && !terminal(record.state))
        live.emplace(record.job.created_at, id);
    std::vector<JobId> ids;
    for (const auto& [created_at, id] : live) ids.push_back(id);
    co_return ids;
  }
  void watch_session(std::string_view, std::string_view, SessionWatcher&) override {}
  void unwatch_session(std::string_view, std::string_view, SessionWatcher&) override {}

  Task<Result<LogState>> cancel(const JobId& id) override {
    const JobId asked = id;
    co_await clock_.sleep_for(latency);
    if (fails) co_return Failure(*fails);
    const auto found = records.find(asked);
    if (found == records.end()) co_return Failure(Errc::not_found);
    if (!terminal(found->second.state)) {
      found->second.cancel_wanted = true;
      if (heard_) heard_(asked);
    }
    co_return state_of(found->second);
  }
  void on_cancel(std::string_view, std::function<void(const JobId&)> heard) override {
    heard_ = std::move(heard);
  }

  Task<Result<std::vector<std::optional<LogState>>>> states(std::span<const JobId> ids) override {
    const std::vector<JobId> asked(ids.begin(), ids.end());
    co_await clock_.sleep_for(latency);
    if (fails) co_return Failure(*fails);
    std::vector<std::optional<LogState>> states;
    for (const JobId& id : asked) {
      const auto found = records.find(id);
      states.push_back(found == records.end() ? std::nullopt
                                              : std::optional(state_of(found->second)));
    }
    co_return states;
  }

  Task<Result<std::string>> claim_store(std::string_view id) override { co_return std::string(id); }
  bool reachable() const override { return !fails; }

 private:
  std::size_t live(const std::string& session) const {
    return static_cast<std::size_t>(std::ranges::count_if(records, [&](const auto& entry) {
      return entry.second.job.session == session && !terminal(entry.second.state);
    }));
  }
  LogState state_of(const Record& r) const {
    LogState state;
    state.state = r.state;
    state.last = r.last;
    state.attempt = r.attempt;
    state.acknowledged = r.acknowledged;
    state.cancel_wanted = r.cancel_wanted;
    state.held = r.token && clock_.now() < r.lease_until;
    state.tenant = r.job.tenant;
    state.session = r.job.session;
    state.kind = r.job.kind;
    state.created_at = r.job.created_at;
    state.deadline = r.job.deadline;
    return state;
  }
  std::vector<LogWatcher*> watchers(const JobId& id) const {
    std::vector<LogWatcher*> found;
    for (const auto& [job, watcher] : watchers_)
      if (job == id && !loses_news) found.push_back(watcher);
    return found;
  }

  Clock& clock_;
  std::set<std::pair<JobId, LogWatcher*>> watchers_;
  std::function<void(const JobId&)> heard_;
};

class FakeStore final : public Store {
 public:
  explicit FakeStore(Clock& clock) : clock_(clock) {}

  std::map<JobId, StoredJob> rows;
  std::set<JobId> unkept_jobs;
  std::optional<Errc> fails;
  Duration latency = port_latency;
  bool notes_lag = false;    ///< notes wait until `write_notes`
  std::size_t finishes = 0;  ///< that were the first

  void write_notes() {
    for (auto& row : notes_) rows.try_emplace(row.id, row);
    notes_.clear();
  }

  Result<> note_accepted(const Job& job, std::string_view fingerprint) override {
    if (fails) return Failure(*fails);
    StoredJob row = as_accepted(job);
    row.fingerprint = fingerprint;
    notes_.push_back(std::move(row));
    if (!notes_lag) write_notes();
    return {};
  }

  Task<Result<BegunJob>> begin(const Job& job, std::uint32_t attempt) override {
    const Job begun = job;
    co_await clock_.sleep_for(latency);
    if (fails) co_return Failure(*fails);
    StoredJob& row = rows.try_emplace(begun.id, as_accepted(begun)).first->second;
    if (!terminal(row.state)) {
      row.state = JobState::running;
      row.attempts = attempt;
      if (!row.started_at) row.started_at = clock_.wall();
    }
    co_return BegunJob{row, {}};
  }

  Task<Result<>> save_step(const JobId&, const Step&) override { co_return Result<>(); }

  Task<Result<Finished>> finish(const Job& job, const Outcome& outcome, const Step*) override {
    const Job ended = job;
    const Outcome wanted = outcome;
    co_await clock_.sleep_for(latency);
    if (fails) co_return Failure(*fails);
    StoredJob& row = rows.try_emplace(ended.id, as_accepted(ended)).first->second;
    if (terminal(row.state)) co_return Finished{false, *row.outcome};
    row.state = wanted.state;
    row.outcome = wanted;
    row.ended_at = clock_.wall();
    ++finishes;
    co_return Finished{true, wanted};
  }

  Task<Result<StoredJob>> want_cancel(std::string_view tenant, const JobId& id) override {
    const std::string whose(tenant);
    const JobId asked = id;
    co_await clock_.sleep_for(latency);
    if (fails) co_return Failure(*fails);
    const auto found = rows.find(asked);
    if (found == rows.end() || found->second.tenant != whose) co_return Failure(Errc::not_found);
    if (!terminal(found->second.state)) found->second.cancel_wanted = true;
    co_return found->second;
  }

  Task<Result<>> redact(const Job& job) override {
    const Job left = job;
    co_await clock_.sleep_for(latency);
    if (fails) co_return Failure(*fails);
    StoredJob& row = rows.at(left.id);
    row.envelope = left.envelope;
    row.outcome->text.clear();
    row.outcome->tool_calls.clear();
    unkept_jobs.erase(left.id);
    co_return Result<>();
  }

  Task<Result<std::vector<StoredJob>>> unkept(WallTime ended_before, std::uint32_t limit) override {
    co_await clock_.sleep_for(latency);
    if (fails) co_return Failure(*fails);
    std::vector<StoredJob> found;
    for (const auto& id : unkept_jobs) {
      const StoredJob& row = rows.at(id);
      if (row.ended_at < ended_before && found.size() < limit) found.push_back(row);
    }
    co_return found;
  }

  Task<Result<StoredJob>> find(std::string_view tenant, const JobId& id) override {
    const std::string whose(tenant);
    const JobId asked = id;
    co_await clock_.sleep_for(latency);
    if (fails) co_return Failure(*fails);
    const auto found = rows.find(asked);
    if (found == rows.end() || found->second.tenant != whose) co_return Failure(Errc::not_found);
    co_return found->second;
  }

  Task<Result<StoredJob>> find_noted(const JobId& id) override { return find_any(id); }
  Task<Result<StoredJob>> find_any(JobId id) {
    write_notes();
    const auto row = rows.find(id);
    const std::string tenant = row == rows.end() ? "" : row->second.tenant;
    co_return co_await find(tenant, id);
  }

  Task<Result<std::uint64_t>> live_jobs(std::string_view tenant, std::uint64_t most) override {
    const std::string whose(tenant);
    co_await clock_.sleep_for(latency);
    if (fails) co_return Failure(*fails);
    write_notes();
    std::uint64_t live = 0;
    for (const auto& [id, row] : rows)
      if (row.tenant == whose && !terminal(row.state) && live < most) ++live;
    co_return live;
  }

  Task<Result<std::vector<StoredJob>>> list(const JobFilter& filter) override {
    const JobFilter wanted = filter;
    co_await clock_.sleep_for(latency);
    if (fails) co_return Failure(*fails);
    std::vector<StoredJob> jobs;
    for (const auto& [id, row] : rows) {
      if (wanted.state && row.state != *wanted.state) continue;
      if (!wanted.kind.empty() && row.kind != wanted.kind) continue;
      if (!wanted.session.empty() && row.session != wanted.session) continue;
      if (row.tenant == wanted.tenant) jobs.push_back(row);
    }
    const auto place = [](const StoredJob& job) { return std::pair(job.created_at, job.id); };
    std::ranges::sort(jobs, std::greater(), place);
    if (wanted.after) {
      const auto last = rows.find(*wanted.after);
      if (last == rows.end()) co_return Failure(Errc::not_found);
      std::erase_if(jobs, [&](const auto& job) { return place(job) >= place(last->second); });
    }
    if (jobs.size() > wanted.limit) jobs.resize(wanted.limit);
    co_return jobs;
  }

  std::string id() const override { return "store"; }
  bool healthy() const override { return !fails; }

 private:
  Clock& clock_;
  std::vector<StoredJob> notes_;
};

}  // namespace millrace::ingress_test
