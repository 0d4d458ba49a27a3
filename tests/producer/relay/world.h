#pragma once
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "producer/relay/hub.h"
#include "shared/http/message.h"
#include "shared/runtime/virtual_clock.h"

namespace millrace::relay::test {

inline JobId job_id(int number) {
  JobId id;
  id.bytes[6] = 0x70;
  id.bytes[8] = 0x80;
  id.bytes[14] = static_cast<std::uint8_t>(number >> 8);
  id.bytes[15] = static_cast<std::uint8_t>(number);
  return id;
}

/// An event log in memory with the manners of the real one, and the faults a test asks for.
class FakeLog final : public EventLog {
 public:
  explicit FakeLog(Clock& clock) : clock_(clock), tasks_(clock) {}

  // what a test sets
  bool away = false;        ///< every call fails, nothing is heard
  bool reads_fail = false;  ///< only reads do
  bool drops_live = false;  ///< live messages get lost
  std::size_t page_events = limits::log_page_events;
  Duration round_trip = 1ms;
  Duration subscribing = 1ms;
  // what a test reads
  int reads = 0;
  int state_calls = 0;
  std::size_t states_asked = 0;
  int watches = 0;  ///< now

  struct Record {
    JobState state = JobState::queued;
    std::string tenant = "default";
    std::string session;
    bool held = false;
    std::vector<std::pair<Seq, std::string>> lines;
    Seq last() const { return lines.empty() ? 0 : lines.back().first; }
  };
  std::map<JobId, Record> records;

  void put(const JobId& id, Seq seq, std::string line, JobState state = JobState::running) {
    auto& record = records[id];
    record.state = state;
    record.lines.emplace_back(seq, line);
    publish(id, line);
  }
  void publish(const JobId& id, const std::string& lines) {
    if (away || drops_live) return;
    for (auto* watcher : heard_by(id)) watcher->on_lines(lines);
  }
  void lose_everything() { records.clear(); }
  /// Reachable again; every subscription is made anew.
  void come_back() {
    away = false;
    for (auto& [id, watchers] : watching_) {
      for (auto* watcher : watchers) watcher->on_uncertain();
    }
    for (auto& [session, watchers] : sessions_) {
      for (auto* watcher : watchers) watcher->on_uncertain();
    }
  }
  void join_session(const std::string& session, const JobId& id) {
    records[id].session = session;
    if (away || drops_live) return;
    for (auto* watcher : sessions_[session]) watcher->on_job(id);
  }
  bool watched(const JobId& id) const { return watching_.contains(id); }
  void stop() { tasks_.stop(); }

  // the port
  Task<Result<LogPage>> read(const JobId& asked, Seq after) override {
    const JobId id = asked;
    ++reads;
    co_await clock_.sleep_for(round_trip / 2);
    auto page = page_of(id, after);
    co_await clock_.sleep_for(round_trip / 2);
    if (away || reads_fail) co_return Failure(Errc::unavailable);
    co_return page;
  }
  void watch(const JobId& id, LogWatcher& watcher) override {
    ++watches;
    pending_[id].insert(&watcher);
    tasks_.start(subscribe(id, &watcher));
  }
  void unwatch(const JobId& id, LogWatcher& watcher) override {
    --watches;
    pending_[id].erase(&watcher);
    auto& watchers = watching_[id];
    std::erase(watchers, &watcher);
    if (watchers.empty()) watching_.erase(id);
  }
  Task<Result<std::vector<JobId>>> session_jobs(std::string_view, std::string_view name) override {
    const std::string session(name);
    co_await clock_.sleep_for(round_trip);
    if (away) co_return Failure(Errc::unavailable);
    std::vector<JobId> ids;
    for (const auto& [id, record] : records) {
      if (record.session == session && !terminal(record.state)) ids.push_back(id);
    }
    co_return ids;
  }
  void watch_session(std::string_view, std::string_view session, SessionWatcher& watcher) override {
    sessions_[std::string(session)].push_back(&watcher);
    watcher.on_uncertain();
  }
  void unwatch_session(std::string_view, std::string_view session,
                       SessionWatcher& watcher) override {
    std::erase(sessions_[std::string(session)], &watcher);
  }
  Task<Result<std::vector<std::optional<LogState>>>> states(std::span<const JobId> asked) override {
    const std::vector<JobId> ids(asked.begin(), asked.end());
    ++state_calls;
    states_asked += ids.size();
    co_await clock_.sleep_for(round_trip);
    if (away) co_return Failure(Errc::unavailable);
    std::vector<std::optional<LogState>> states;
    for (const auto& id : ids) states.push_back(state_of(id));
    co_return states;
  }
  bool reachable() const override { return !away; }

  // what a relay never calls
  Task<Result<Accepted>> accept(const Job&, std::string_view, std::string_view) override {
    co_return Failure(Errc::invalid);
  }
  void acknowledge(const Job&) override {}
  Task<Result<>> withdraw(const Job&) override { co_return Failure(Errc::invalid); }
  Task<Result<>> forget(const JobId&) override { co_return Failure(Errc::invalid); }
  Task<Result<Begun>> begin(const BeginRequest&) override { co_return Failure(Errc::invalid); }
  Task<Result<Appended>> append(const AppendRequest&) override { co_return Failure(Errc::invalid); }
  Task<Result<LogState>> cancel(const JobId&) override { co_return Failure(Errc::invalid); }
  void on_cancel(std::string_view, std::function<void(const JobId&)>) override {}
  Task<Result<std::string>> claim_store(std::string_view) override {
    co_return Failure(Errc::invalid);
  }

 private:
  std::vector<LogWatcher*> heard_by(const JobId& id) const {
    const auto found = watching_.find(id);
    return found == watching_.end() ? std::vector<LogWatcher*>{} : found->second;
  }
  Result<LogPage> page_of(const JobId& id, Seq after) const {
    const auto found = records.find(id);
    if (found == records.end()) return Failure(Errc::not_found);
    LogPage page{.lines = {}, .last = found->second.last(), .state = found->second.state};
    page.tenant = found->second.tenant;
    std::size_t taken = 0;
    for (const auto& [seq, line] : found->second.lines) {
      if (seq <= after) continue;
      if (taken++ == page_events) {
        page.more = true;
        break;
      }
      page.lines += line;
    }
    return page;
  }
  std::optional<LogState> state_of(const JobId& id) const {
    const auto found = records.find(id);
    if (found == records.end()) return std::nullopt;
    LogState state;
    state.state = found->second.state;
    state.last = found->second.last();
    state.tenant = found->second.tenant;
    state.session = found->second.session;
    state.held = found->second.held;
    return state;
  }
  Task<> subscribe(JobId id, LogWatcher* watcher) {
    co_await clock_.sleep_for(subscribing);
    while (away) co_await clock_.sleep_for(100ms);
    if (!pending_[id].erase(watcher)) co_return;
    watching_[id].push_back(watcher);
    watcher->on_uncertain();
  }

  Clock& clock_;
  Nursery tasks_;
  std::map<JobId, std::vector<LogWatcher*>> watching_;
  std::map<JobId, std::set<LogWatcher*>> pending_;
  std::map<std::string, std::vector<SessionWatcher*>> sessions_;
};

/// A client's end of a stream: keeps what arrived, may stop reading or go.
class FakeWriter final : public http::StreamWriter {
 public:
  explicit FakeWriter(Clock& clock) : clock_(clock), wake_(clock) {}

  std::string got;
  std::size_t bytes_max = std::string::npos;  ///< the connection breaks after so many
  bool stalled = false;                       ///< reads nothing
  Duration pace{};                            ///< each write takes this long
  int writes = 0;

  void leave() {
    closed_ = true;
    wake_.notify();
  }
  void drain() {
    draining_ = true;
    wake_.notify();
  }

  Task<Result<>> write(std::string_view bytes) override {
    ++writes;
    if (pace > Duration{}) co_await clock_.sleep_for(pace);
    const auto patience = clock_.now() + limits::reader_stall_max;
    while (stalled && !closed_ && clock_.now() < patience) co_await clock_.sleep_for(100ms);
    if (stalled && !closed_) co_return Failure(Errc::timed_out);
    if (!closed_) got.append(bytes.substr(0, bytes_max - std::min(bytes_max, got.size())));
    if (got.size() >= bytes_max) closed_ = true;
    if (closed_) co_return Failure(Errc::closed);
    co_return Result<>{};
  }
  bool closed() const override { return closed_; }
  Signal& wake() override { return wake_; }
  bool draining() const override { return draining_; }

 private:
  Clock& clock_;
  Signal wake_;
  bool closed_ = false;
  bool draining_ = false;
};

/// One connection: the response's body running against a client's end.
struct Connection {
  explicit Connection(Clock& clock) : writer(clock) {}
  FakeWriter writer;
  bool ended = false;
  bool failed = false;
};

inline Task<> run_connection(Connection& connection, http::StreamBody body) {
  try {
    co_await body(connection.writer);
    connection.ended = true;
  } catch (const std::exception&) {
    connection.failed = true;
  }
}

template <class T>
Task<> keep_result(Task<T> task, std::optional<T>& result) {
  result.emplace(co_await std::move(task));
}

/// A relay on a virtual clock, its log and its Store.
class World {
 public:
  World() { tasks.start(hub.run()); }
  ~World() {
    for (auto& connection : connections) connection->writer.leave();
    clock.run_for(1s);
    hub.stop();
    log.stop();
    tasks.stop();
    clock.run_for(1s);
  }

  asio::io_context loop{1};
  VirtualClock clock{loop};
  FakeLog log{clock};
  std::map<JobId, StoredJob> stored;
  bool store_away = false;
  std::function<void()> when_found = [] {};  ///< runs as the Store answers
  RelayMetrics metrics;
  Hub hub{clock, log, [this](JobId id) { return find(id); }, metrics};
  Nursery tasks{clock};
  std::vector<std::unique_ptr<Connection>> connections;

  Task<Result<StoredJob>> find(JobId id) {
    co_await clock.sleep_for(1ms);
    if (store_away) co_return Failure(Errc::unavailable);
    when_found();
    const auto found = stored.find(id);
    if (found == stored.end()) co_return Failure(Errc::not_found);
    co_return found->second;
  }

  template <class T>
  T result_of(Task<T> task, Duration within = 60s) {
    std::optional<T> result;
    tasks.start(keep_result(std::move(task), result));
    const auto end = clock.now() + within;
    while (!result && clock.now() < end) clock.run_for(1ms);
    return std::move(*result);
  }

  Connection& connect(http::StreamBody body) {
    connections.push_back(std::make_unique<Connection>(clock));
    tasks.start(run_connection(*connections.back(), std::move(body)));
    return *connections.back();
  }

  /// Writes the event into the log and tells who watches.
  void delta(const JobId& id, Seq seq, std::string_view text) {
    std::string line;
    EventWriter(id, clock.wall()).delta(line, {seq, clock.wall()}, text);
    log.put(id, seq, line);
  }
  void gap(const JobId& id, Seq seq, Seq from, Seq to) {
    std::string line;
    EventWriter(id, clock.wall()).gap(line, {seq, clock.wall()}, from, to);
    log.put(id, seq, line);
  }
  void rewind(const JobId& id, Seq seq, Seq to) {
    std::string line;
    EventWriter(id, clock.wall()).rewind(line, {seq, clock.wall()}, to);
    log.put(id, seq, line);
  }
  void status(const JobId& id, Seq seq, std::string_view message) {
    std::string line;
    EventWriter(id, clock.wall()).status(line, {seq, clock.wall()}, message);
    log.put(id, seq, line);
  }
  void done(const JobId& id, Seq seq, std::string_view text) {
    std::string line;
    Outcome outcome;
    outcome.state = JobState::succeeded;
    outcome.text = text;
    outcome.finish_reason = "stop";
    EventWriter(id, clock.wall()).terminal(line, {seq, clock.wall()}, outcome);
    log.put(id, seq, line, JobState::succeeded);
  }
  /// The Store has the job, ended with this text.
  void store_done(const JobId& id, std::string_view text, std::string_view session = {}) {
    store_live(id, session);
    auto& job = stored[id];
    job.state = JobState::succeeded;
    job.outcome.emplace();
    job.outcome->state = JobState::succeeded;
    job.outcome->text = text;
    job.outcome->finish_reason = "stop";
    job.ended_at = clock.wall();
  }
  void store_live(const JobId& id, std::string_view session = {}) {
    auto& job = stored[id];
    job.id = id;
    job.tenant = "default";
    job.session = session;
    job.state = JobState::running;
    job.created_at = clock.wall();
  }

  /// What a reader gets who reads the whole log at leisure.
  std::string whole_stream(const JobId& id, Seq after = 0) const {
    std::string frames;
    for (const auto& [seq, text] : log.records.at(id).lines) {
      std::string_view line = text;
      EventLine event;
      if (seq > after && next_event(line, event)) append_frame(frames, event);
    }
    return frames;
  }
};

/// The frames of a response as a program sees them: without retry and heartbeats.
inline std::string events_of(std::string_view bytes) {
  std::string events;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto end = bytes.find("\n\n", at);
    if (end == std::string_view::npos) break;  // an incomplete frame counts for nothing
    auto frame = bytes.substr(at, end + 2 - at);
    at = end + 2;
    if (frame.starts_with(retry_line)) frame.remove_prefix(retry_line.size());
    if (frame.starts_with("event: ")) events.append(frame);
  }
  return events;
}

inline std::vector<Frame> frames_of(std::string_view events) {
  std::vector<Frame> frames;
  Frame frame;
  while (next_frame(events, frame)) frames.push_back(frame);
  return frames;
}

/// What EventSource would send as Last-Event-ID; 0 for none.
inline Seq last_id(std::string_view events) {
  Seq last = 0;
  for (const auto& frame : frames_of(events)) last = frame.seq.value_or(last);
  return last;
}

inline std::vector<Seq> seqs_of(std::string_view bytes) {
  const auto events = events_of(bytes);
  std::vector<Seq> seqs;
  for (const auto& frame : frames_of(events)) seqs.push_back(frame.seq.value_or(0));
  return seqs;
}

inline std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

}  // namespace millrace::relay::test
