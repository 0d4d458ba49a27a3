#pragma once
#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "shared/event_log.h"
#include "shared/job_queue.h"
#include "shared/runtime/limits.h"
#include "shared/runtime/signal.h"
#include "shared/runtime/virtual_clock.h"
#include "shared/store.h"
#include "workers/llm/chat_model.h"

/// In-memory twins of the ports, honest about their contracts, with faults on demand. Each call
/// takes `latency`; what a fault says happens instead of, or after, what was asked.
namespace millrace::fake {

/// How one call goes wrong; `begin_first` is what a restarted server says that lost nothing.
enum class Fault { none, refused, answer_lost, begin_first };

/// The faults of the calls to come, first first; none once it is empty.
class Faults {
 public:
  void next(Fault fault, int times = 1) {
    for (int i = 0; i < times; ++i) plan_.push_back(fault);
  }
  Fault take() {
    if (plan_.empty()) return Fault::none;
    const Fault fault = plan_.front();
    plan_.pop_front();
    return fault;
  }

 private:
  std::deque<Fault> plan_;
};

class Log final : public EventLog {
 public:
  explicit Log(Clock& clock) : clock_(clock), server_(*this) {}
  /// The same log as another process, with a clock of its own, sees it.
  Log(Clock& clock, Log& server) : clock_(clock), server_(server) {}

  struct Record {
    JobState state = JobState::queued;
    std::optional<Token> token;
    std::optional<Token> last_writer;
    Instant lease_until{};
    Seq last = 0;
    std::string lines;
    bool cancel = false;
    std::uint32_t errors = 0;
    std::uint32_t lost_runs = 0;
    std::string worker;
    bool lost_tail = false;  ///< the server has restarted since: nobody can tell what is missing
  };

  std::map<JobId, Record> records;
  Faults append_faults;
  Faults begin_faults;
  Duration latency = 100us;
  bool away = false;
  std::uint64_t appends = 0;
  std::uint64_t begins = 0;
  std::uint64_t fenced = 0;
  std::size_t events_in_largest_append = 0;
  std::function<void(const AppendRequest&)> before_append;  ///< sees each append as it arrives

  void lose_all() { records.clear(); }
  /// Whoever holds the lease of this job loses it to somebody else.
  void steal(const JobId& id) {
    Token other;
    other.bytes.fill(0xee);
    records[id].token = other;
    records[id].lease_until = time() + limits::lease_for;
  }
  void want_cancel(const JobId& id) {
    records[id].cancel = true;
    const auto heard = heard_.find(records[id].worker);
    if (heard != heard_.end()) heard->second(id);
  }

  Task<Result<Accepted>> accept(const Job& job, std::string_view, std::string_view line) override {
    Record& record = records[job.id];
    record.lines += line;
    record.last = 1;
    co_return Accepted{.fresh = true, .acknowledged = false, .fingerprint = {}, .state = {}};
  }
  void acknowledge(const Job&) override {}
  Task<Result<>> withdraw(const Job&) override { co_return Result<>{}; }
  Task<Result<>> forget(const JobId&) override { co_return Failure(Errc::invalid); }

  Task<Result<Begun>> begin(const BeginRequest& request) override {
    ++begins;
    co_await clock_.sleep_for(latency);
    const Fault fault = begin_faults.take();
    if (away || fault == Fault::refused) co_return Failure(Errc::unavailable);
    const Begun begun = server_.begin_now(request, server_.time_at(clock_));
    if (fault == Fault::answer_lost) co_return Failure(Errc::timed_out);
    co_return begun;
  }

  Task<Result<Appended>> append(const AppendRequest& request) override {
    ++appends;
    events_in_largest_append = std::max<std::size_t>(events_in_largest_append, request.count);
    if (before_append) before_append(request);
    co_await clock_.sleep_for(latency);
    const Fault fault = append_faults.take();
    if (away || fault == Fault::refused) co_return Failure(Errc::unavailable);
    if (fault == Fault::begin_first) co_return Failure(Errc::lost);
    const auto appended = server_.append_now(request, server_.time_at(clock_));
    if (fault == Fault::answer_lost) co_return Failure(Errc::timed_out);
    co_return appended;
  }

  Task<Result<LogPage>> read(const JobId& id, Seq after) override {
    co_await clock_.sleep_for(latency);
    if (away) co_return Failure(Errc::unavailable);
    const auto found = server_.records.find(id);
    if (found == server_.records.end()) co_return Failure(Errc::not_found);
    LogPage page{
        .lines = {}, .last = found->second.last, .state = found->second.state, .more = false};
    std::string_view lines = found->second.lines;
    EventLine event;
    while (next_event(lines, event)) {
      if (event.seq > after) page.lines += event.whole;
    }
    co_return page;
  }

  void watch(const JobId&, LogWatcher&) override {}
  void unwatch(const JobId&, LogWatcher&) override {}
  Task<Result<std::vector<JobId>>> session_jobs(std::string_view, std::string_view) override {
    co_return std::vector<JobId>{};
  }
  void watch_session(std::string_view, std::string_view, SessionWatcher&) override {}
  void unwatch_session(std::string_view, std::string_view, SessionWatcher&) override {}
  Task<Result<LogState>> cancel(const JobId& id) override {
    want_cancel(id);
    co_return LogState{};
  }
  void on_cancel(std::string_view worker, std::function<void(const JobId&)> heard) override {
    if (heard) {
      heard_[std::string(worker)] = std::move(heard);
    } else {
      heard_.erase(std::string(worker));
    }
  }
  Task<Result<std::vector<std::optional<LogState>>>> states(std::span<const JobId>) override {
    co_return std::vector<std::optional<LogState>>{};
  }
  Task<Result<std::string>> claim_store(std::string_view id) override { co_return std::string(id); }
  bool reachable() const override { return !away; }

 private:
  Seq clock_us() const {
    return static_cast<Seq>(
        std::chrono::duration_cast<std::chrono::microseconds>(clock_.wall().time_since_epoch())
            .count());
  }

  /// The server's own time: as late as anybody has come.
  Instant time() { return time_at(clock_); }
  Instant time_at(Clock& clock) { return time_ = std::max(time_, clock.now()); }

  Begun begin_now(const BeginRequest& request, Instant now) {
    const bool missing = !records.contains(request.job.id);
    Record& record = records[request.job.id];
    Begun begun;
    begun.state = record.state;
    begun.cancel_wanted = record.cancel;
    if (terminal(record.state)) {
      begun.outcome = Begun::Outcome::terminal;
      return begun;
    }
    const bool another = record.token && *record.token != request.token;
    if (another && record.lease_until > now && !request.force) {
      begun.outcome = Begun::Outcome::busy;
      begun.busy_for = record.lease_until - now;
      return begun;
    }
    if (another) ++record.lost_runs;
    if ((missing && (request.begun_before || request.known > 0)) || record.last < request.known ||
        record.lost_tail) {
      begun.gap_from = (missing ? request.known : record.last) + 1;
      record.last = clock_us();
      record.lost_tail = false;
    }
    record.token = request.token;
    record.lease_until = now + limits::lease_for;
    record.state = JobState::running;
    record.worker = std::string(request.worker);
    begun.last = record.last;
    begun.errors = record.errors;
    begun.lost_runs = record.lost_runs;
    return begun;
  }

  Result<Appended> append_now(const AppendRequest& request, Instant now) {
    const auto found = records.find(request.id);
    if (found == records.end()) return Failure(Errc::lost);
    Record& record = found->second;
    const bool repeated = record.last_writer == request.token &&
                          request.expected + request.count == record.last && request.count > 0 &&
                          record.lines.ends_with(request.lines);
    if (repeated) return Appended{.cancel_wanted = record.cancel};
    if (record.token != request.token || terminal(record.state)) {
      ++fenced;
      return Failure(Errc::fenced);
    }
    if (record.last != request.expected) return Failure(Errc::lost);
    record.lines += request.lines;
    record.last = request.expected + request.count;
    record.last_writer = request.token;
    record.lease_until = now + limits::lease_for;
    if (request.state) {
      record.state = *request.state;
      record.token.reset();
      if (*request.state == JobState::retrying) ++record.errors;
    }
    return Appended{.cancel_wanted = record.cancel};
  }

  Clock& clock_;
  Log& server_;
  Instant time_{};
  std::map<std::string, std::function<void(const JobId&)>> heard_;
};

class TheStore final : public Store {
 public:
  explicit TheStore(Clock& clock) : clock_(clock), truth_(*this) {}
  /// The same store as another process sees it.
  TheStore(Clock& clock, TheStore& truth) : clock_(clock), truth_(truth) {}

  std::map<JobId, StoredJob> jobs;
  std::map<JobId, std::vector<Step>> steps;
  Faults finish_faults;
  Faults begin_faults;
  Duration latency = 200us;
  bool away = false;
  std::uint64_t finishes = 0;

  Result<> note_accepted(const Job&, std::string_view) override { return {}; }

  Task<Result<BegunJob>> begin(const Job& job, std::uint32_t attempt) override {
    co_await clock_.sleep_for(latency);
    if (away || begin_faults.take() != Fault::none) co_return Failure(Errc::unavailable);
    StoredJob& stored = truth_.jobs[job.id];
    const bool begun_before = stored.state != JobState::queued;
    stored.id = job.id;
    if (!terminal(stored.state)) {
      stored.state = JobState::running;
      stored.attempts = std::max(stored.attempts, attempt);
    }
    co_return BegunJob{.job = stored, .steps = truth_.steps[job.id], .begun_before = begun_before};
  }
  Task<Result<>> save_step(const JobId& id, const Step& step) override {
    co_await clock_.sleep_for(latency);
    if (away) co_return Failure(Errc::unavailable);
    steps[id].push_back(step);
    co_return Result<>{};
  }
  Task<Result<Finished>> finish(const Job& job, const Outcome& outcome, const Step* step) override {
    ++finishes;
    co_await clock_.sleep_for(latency);
    const Fault fault = finish_faults.take();
    if (away || fault == Fault::refused) co_return Failure(Errc::unavailable);
    StoredJob& stored = truth_.jobs[job.id];
    const bool first = !stored.outcome;
    if (first) {
      stored.id = job.id;
      stored.outcome = outcome;
      stored.state = outcome.state;
      if (step) truth_.steps[job.id].push_back(*step);
    }
    if (fault == Fault::answer_lost) co_return Failure(Errc::timed_out);
    co_return Finished{.first = first, .outcome = *stored.outcome};
  }
  Task<Result<StoredJob>> want_cancel(std::string_view, const JobId& id) override {
    jobs[id].cancel_wanted = true;
    co_return jobs[id];
  }
  Task<Result<>> redact(const Job&) override { co_return Result<>(); }
  Task<Result<std::vector<StoredJob>>> unkept(WallTime, std::uint32_t) override {
    co_return std::vector<StoredJob>{};
  }
  Task<Result<StoredJob>> find(std::string_view, const JobId& id) override { co_return jobs[id]; }
  Task<Result<StoredJob>> find_noted(const JobId& id) override { return find("default", id); }
  Task<Result<std::uint64_t>> live_jobs(std::string_view, std::uint64_t) override {
    co_return Failure(Errc::invalid);
  }
  Task<Result<std::vector<StoredJob>>> list(const JobFilter&) override {
    co_return std::vector<StoredJob>{};
  }
  std::string id() const override { return "store"; }
  bool healthy() const override { return !away; }

 private:
  Clock& clock_;
  TheStore& truth_;
};

class Queue final : public JobQueue {
 public:
  explicit Queue(Clock& clock) : clock_(clock), changed_(clock) {}

  struct Settled {
    JobId id;
    Verdict verdict;
  };
  std::vector<Settled> settled;
  std::vector<JobId> released;
  std::vector<std::pair<JobId, std::string>> results;
  Faults settle_faults;

  void add(Delivery delivery, Instant due = {}) {
    delivery.handle = ++handles_;
    waiting_.push_back({due, std::move(delivery)});
    changed_.notify();
  }
  /// The same job again, as after a rebalance: to whoever asks next.
  void close() {
    closed_ = true;
    changed_.notify();
  }
  std::size_t waiting() const { return waiting_.size(); }

  Task<Result<>> enqueue(const Job&) override { co_return Result<>{}; }
  Task<Result<Delivery>> next() override {
    for (;;) {
      const auto due = std::ranges::min_element(waiting_, {}, &Waiting::due);
      if (due != waiting_.end() && due->due <= clock_.now()) {
        Delivery delivery = due->delivery;
        waiting_.erase(due);
        in_hand_[delivery.handle] = delivery;
        co_return delivery;
      }
      if (closed_) co_return Failure(Errc::closed);
      const Instant until = due == waiting_.end() ? Instant::max() : due->due;
      co_await changed_.wait_until(until);
    }
  }
  Task<Result<>> settle(const Delivery& delivery, Verdict verdict, std::string result) override {
    const Fault fault = settle_faults.take();
    if (fault != Fault::none) co_return Failure(Errc::unavailable);
    settled.push_back({delivery.job.id, verdict});
    if (!result.empty()) results.emplace_back(delivery.job.id, std::move(result));
    in_hand_.erase(delivery.handle);
    if (const auto* retry = std::get_if<Retry>(&verdict)) {
      Delivery again = delivery;
      ++again.attempt;
      add(again, retry->at);
    }
    co_return Result<>{};
  }
  void release(const Delivery& delivery, Instant not_before) override {
    released.push_back(delivery.job.id);
    in_hand_.erase(delivery.handle);
    add(delivery, not_before);
  }
  std::optional<QueueLag> lag(const Job&) override { return std::nullopt; }

 private:
  struct Waiting {
    Instant due;
    Delivery delivery;
  };
  Clock& clock_;
  Signal changed_;
  std::vector<Waiting> waiting_;
  std::map<std::uint64_t, Delivery> in_hand_;
  std::uint64_t handles_ = 0;
  bool closed_ = false;
};

/// Says `w1 w2 … wN `: the n-th word depends on n alone, and it goes on after a prefix.
class Model final : public ChatModel {
 public:
  explicit Model(Clock& clock) : clock_(clock) {}

  int words = 3;
  Duration gap = 10ms;
  /// The turns to come fail after so many words, first first.
  struct Failing {
    int after_words;
    ChatFailure failure;
  };
  std::deque<Failing> failing;
  std::vector<ToolCall> tool_calls;   ///< that end each turn
  Asides asides;                      ///< said in front of the words
  bool hang = false;                  ///< says nothing, for ever
  std::vector<std::string> prefixes;  ///< of each turn asked
  std::vector<std::string> inputs;    ///< the same
  int words_sent = 0;
  int running = 0;
  int most_running = 0;
  int cancelled = 0;
  std::function<void()> on_start;

  static std::string word(int n) { return "w" + std::to_string(n) + " "; }
  static std::string text(int count) {
    std::string all;
    for (int i = 1; i <= count; ++i) all += word(i);
    return all;
  }

  Task<std::expected<ChatEnd, ChatFailure>> stream(const ChatTurn& turn, TextSink& sink) override {
    prefixes.emplace_back(turn.prefix);
    inputs.push_back(turn.job.input);
    Running counted(*this);
    if (on_start) on_start();
    std::optional<Failing> fails;
    if (!failing.empty()) {
      fails = failing.front();
      failing.pop_front();
    }
    if (hang) co_await clock_.sleep_until(Instant::max());
    int said = static_cast<int>(std::ranges::count(turn.prefix, ' '));
    for (const auto kind : {Aside::reasoning, Aside::refusal})
      if (!asides.of(kind).empty()) (void)sink.on_aside(kind, asides.of(kind));
    for (int sent = 0; said < words; ++sent) {
      if (fails && sent == fails->after_words) co_return std::unexpected(fails->failure);
      co_await clock_.sleep_for(gap);
      const bool room = sink.on_text(word(++said));
      ++words_sent;
      if (!room) co_await sink.ready();
    }
    counted.whole = true;
    co_return ChatEnd{.finish_reason = tool_calls.empty() ? "stop" : "tool_calls",
                      .model = "fake",
                      .usage = R"({"total_tokens":3})",
                      .tool_calls = tool_calls,
                      .asides = asides};
  }

 private:
  struct Running {
    explicit Running(Model& of) : model(of) {
      model.most_running = std::max(model.most_running, ++model.running);
    }
    ~Running() {
      --model.running;
      if (!whole) ++model.cancelled;
    }
    Model& model;
    bool whole = false;
  };
  Clock& clock_;
};

}  // namespace millrace::fake
