#include "shared/redis/event_log.h"

#include <algorithm>

#include "shared/contract/keys.h"
#include "shared/runtime/json_text.h"
#include "shared/runtime/log.h"
#include "shared/runtime/nursery.h"

namespace millrace {
namespace {

using redis::CommandBuffer;
using redis::Replies;
using redis::ReplyView;
using redis::Script;

std::uint64_t milliseconds(WallTime when) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(when.time_since_epoch().count(), 0));
}

std::uint64_t milliseconds(Duration time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
}

WallTime wall_time(std::int64_t ms) {
  return WallTime(std::chrono::milliseconds(ms));
}

JobState state_of(ReplyView text) {
  return job_state(text.text()).value_or(JobState::queued);
}

/// `1 queued {…}\n` without number and end: what the stream keeps of a line.
std::string_view entry_of(std::string_view line) {
  line.remove_prefix(std::min(line.find(' ') + 1, line.size()));
  if (line.ends_with('\n')) line.remove_suffix(1);
  return line;
}

constexpr std::string_view state_fields[] = {"state",   "seq",   "attempt", "ack",
                                             "cancel",  "token", "lease",   "tenant",
                                             "session", "kind",  "created", "deadline"};

void ask_state(CommandBuffer& into, const JobId& id) {
  into.command(2 + std::size(state_fields));
  into.part("HMGET");
  into.part(keys::job(id));
  for (const auto field : state_fields) into.part(field);
}

std::optional<LogState> to_state(ReplyView fields, std::int64_t now_ms) {
  if (fields[0].nil()) return std::nullopt;
  LogState state;
  state.state = state_of(fields[0]);
  state.last = static_cast<Seq>(fields[1].number());
  state.attempt = static_cast<std::uint32_t>(fields[2].number());
  state.acknowledged = fields[3].number() == 1;
  state.cancel_wanted = fields[4].number() == 1;
  state.held = !terminal(state.state) && !fields[5].text().empty() && fields[6].number() > now_ms;
  state.tenant = fields[7].text();
  state.session = fields[8].text();
  state.kind = fields[9].text();
  state.created_at = wall_time(fields[10].number());
  state.deadline = wall_time(fields[11].number());
  return state;
}

std::int64_t server_ms(ReplyView time) {
  return time[0].number() * 1000 + time[1].number() / 1000;
}

}  // namespace

class RedisEventLog::JobListener final : public redis::Listener {
 public:
  explicit JobListener(LogWatcher& watcher) : watcher_(watcher) {}
  void on_message(std::string_view payload) noexcept override { watcher_.on_lines(payload); }
  void on_subscribed() noexcept override { watcher_.on_uncertain(); }

 private:
  LogWatcher& watcher_;
};

class RedisEventLog::SessionListener final : public redis::Listener {
 public:
  explicit SessionListener(SessionWatcher& watcher) : watcher_(watcher) {}
  void on_message(std::string_view payload) noexcept override {
    if (const auto id = JobId::parse(payload)) watcher_.on_job(*id);
  }
  void on_subscribed() noexcept override { watcher_.on_uncertain(); }

 private:
  SessionWatcher& watcher_;
};

class RedisEventLog::CancelListener final : public redis::Listener {
 public:
  explicit CancelListener(std::function<void(const JobId&)> heard) : heard_(std::move(heard)) {}
  void on_message(std::string_view payload) noexcept override {
    if (const auto id = JobId::parse(payload)) heard_(*id);
  }
  void on_subscribed() noexcept override {}  // renewals tell of wishes that were missed

 private:
  std::function<void(const JobId&)> heard_;
};

RedisEventLog::RedisEventLog(Clock& clock, Options options)
    : clock_(clock),
      options_(std::move(options)),
      commands_(
          clock, redis::parse_address(options_.url),
          {.on_connected = [this](redis::Connection& connection) { return prepare(connection); },
           .on_push = {},
           .on_lost = {}}),
      subscriber_(clock, redis::parse_address(options_.url)) {}

RedisEventLog::~RedisEventLog() = default;

Task<> RedisEventLog::run() {
  Nursery nursery(clock_);
  nursery.start(commands_.run());
  nursery.start(subscriber_.run());
  co_await nursery.join();
}

/// Learns which server this is, loads the scripts, and warns of settings that lose data.
Task<Result<>> RedisEventLog::prepare(redis::Connection& connection) {
  CommandBuffer commands;
  commands.command({"INFO", "server"});
  for (std::size_t i = 0; i < redis::script_count; ++i)
    commands.command({"SCRIPT", "LOAD", redis::source(static_cast<Script>(i))});
  commands.command({"CONFIG", "GET", "appendonly"});
  commands.command({"CONFIG", "GET", "maxmemory-policy"});
  const auto replies = co_await connection.exchange(commands);
  if (!replies) co_return Failure(replies.error());
  const auto info = (*replies)[0].view().text();
  constexpr std::string_view name = "run_id:";
  const auto at = info.find(name);
  if (at == std::string_view::npos) {
    log::error("redis_refused_us", {{"said", (*replies)[0].view().text()}});
    co_return Failure(Errc::unavailable);
  }
  run_id_ = info.substr(at + name.size(), 40);
  for (std::size_t i = 0; i < redis::script_count; ++i) {
    if (!(*replies)[i + 1].view().error()) continue;
    log::error("redis_refused_script", {{"said", (*replies)[i + 1].view().text()}});
    co_return Failure(Errc::unavailable);
  }
  const auto append_only = (*replies)[redis::script_count + 1].view()[1].text();
  const auto policy = (*replies)[redis::script_count + 2].view()[1].text();
  if (!std::exchange(warned_, true)) {
    if (append_only == "no")
      log::warn(
          "redis_not_durable",
          {{"remedy", "set `appendonly yes`: without it a restart forgets running jobs' events"}});
    if (!policy.empty() && policy != "noeviction")
      log::warn("redis_evicts",
                {{"policy", policy}, {"remedy", "set `maxmemory-policy noeviction`"}});
  }
  co_return Result<>{};
}

/// EVALSHA, its keys and its arguments; the caller adds exactly those parts.
void RedisEventLog::eval(CommandBuffer& into, Script script, std::size_t keys,
                         std::size_t arguments) const {
  into.command(3 + keys + arguments);
  into.part("EVALSHA");
  into.part(redis::digest(script));
  into.part(std::uint64_t{keys});
}

/// A server that has forgotten our scripts (SCRIPT FLUSH, a failover) is told them again.
Task<Result<Replies>> RedisEventLog::run_script(const CommandBuffer& command) {
  auto replies = co_await commands_.call(command);
  if (!replies) co_return Failure(replies.error());
  const auto first = replies->front().view();
  if (!first.error()) co_return std::move(*replies);
  log::warn("redis_script_failed", {{"said", first.text()}});
  if (first.text().starts_with("NOSCRIPT")) {
    const auto prepared = co_await prepare(commands_);
    if (!prepared) co_return Failure(prepared.error());
  }
  co_return Failure(Errc::unavailable);
}

Task<Result<Accepted>> RedisEventLog::accept(const Job& job, std::string_view fingerprint,
                                             std::string_view queued_line) {
  if (!job.session.empty()) {
    const auto joined = co_await join_session(job);
    if (!joined) co_return Failure(joined.error());
    if (!*joined) co_return Failure(Errc::overloaded);
  }
  CommandBuffer& command = buffer_;
  command.clear();
  eval(command, Script::accept, 2, 8);
  command.part(keys::job(job.id));
  command.part(keys::events(job.id));
  command.part(run_id_);
  command.part(fingerprint);
  command.part(job.tenant);
  command.part(job.session);
  command.part(job.kind);
  command.part(milliseconds(job.created_at));
  command.part(milliseconds(job.deadline));
  command.part(entry_of(queued_line));
  const auto replies = co_await run_script(command);
  if (!replies) co_return Failure(replies.error());
  const auto reply = replies->front().view();
  Accepted accepted;
  accepted.fresh = reply[0].number() == 1;
  if (accepted.fresh) {
    accepted.fingerprint = fingerprint;
  } else {
    accepted.state = state_of(reply[1]);
    accepted.acknowledged = reply[2].number() == 1;
    accepted.fingerprint = reply[3].text();
    if (terminal(accepted.state)) leave_session(job.tenant, job.session, job.id);
  }
  co_return accepted;
}

/// False: the session is full, even after those that have ended were taken out.
Task<Result<bool>> RedisEventLog::join_session(const Job& job) {
  for (int round = 0;; ++round) {
    CommandBuffer& command = buffer_;
    command.clear();
    eval(command, Script::join, 1, 3);
    command.part(keys::session_live(job.tenant, job.session));
    command.part(job.id.str());
    command.part(milliseconds(job.created_at));
    command.part(std::uint64_t{limits::session_jobs_max});
    const auto replies = co_await run_script(command);
    if (!replies) co_return Failure(replies.error());
    const bool in = replies->front().view().number() == 1;
    if (in || round > 0) co_return in;
    co_await drop_ended(job.tenant, job.session);
  }
}

/// A lost ZREM must not fill a session for ever.
Task<> RedisEventLog::drop_ended(std::string tenant, std::string session) {
  const auto ids = co_await session_jobs(tenant, session);
  if (!ids) co_return;
  const auto found = co_await states(*ids);
  if (!found) co_return;
  for (std::size_t i = 0; i < ids->size(); ++i) {
    const auto& state = (*found)[i];
    if (!state || terminal(state->state)) leave_session(tenant, session, (*ids)[i]);
  }
}

void RedisEventLog::leave_session(std::string_view tenant, std::string_view session,
                                  const JobId& id) {
  if (session.empty() || !commands_.ready()) return;
  CommandBuffer command;
  command.command({"ZREM", keys::session_live(tenant, session), id.str()});
  commands_.tell(command);
}

void RedisEventLog::acknowledge(const Job& job) {
  if (!commands_.ready()) return;
  CommandBuffer& command = buffer_;
  command.clear();
  eval(command, Script::acknowledge, 1, 0);
  command.part(keys::job(job.id));
  commands_.tell(command);
}

Task<Result<>> RedisEventLog::withdraw(const Job& job) {
  CommandBuffer& command = buffer_;
  command.clear();
  eval(command, Script::withdraw, 2, 0);
  command.part(keys::job(job.id));
  command.part(keys::events(job.id));
  const auto replies = co_await run_script(command);
  if (!replies) co_return Failure(replies.error());
  if (replies->front().view().number() == 1) leave_session(job.tenant, job.session, job.id);
  co_return Result<>{};
}

Task<Result<Begun>> RedisEventLog::begin(const BeginRequest& request) {
  const Job& job = request.job;
  CommandBuffer& command = buffer_;
  command.clear();
  eval(command, Script::begin, 2, 12);
  command.part(keys::job(job.id));
  command.part(keys::events(job.id));
  command.part(request.token.str());
  command.part(request.worker);
  command.part(request.known);
  command.part(request.begun_before ? "1" : "0");
  command.part(request.force ? "1" : "0");
  command.part(milliseconds(options_.lease_for));
  command.part(run_id_);
  command.part(job.tenant);
  command.part(job.session);
  command.part(job.kind);
  command.part(milliseconds(job.created_at));
  command.part(milliseconds(job.deadline));
  const auto replies = co_await run_script(command);
  if (!replies) co_return Failure(replies.error());
  const auto reply = replies->front().view();
  Begun begun;
  begun.outcome = static_cast<Begun::Outcome>(reply[0].number());
  begun.state = state_of(reply[1]);
  begun.last = static_cast<Seq>(reply[2].number());
  if (reply[3].number() > 0) begun.gap_from = static_cast<Seq>(reply[3].number());
  begun.errors = static_cast<std::uint32_t>(reply[4].number());
  begun.lost_runs = static_cast<std::uint32_t>(reply[5].number());
  begun.cancel_wanted = reply[6].number() == 1;
  begun.busy_for = std::chrono::milliseconds(reply[7].number());
  co_return begun;
}

Task<Result<Appended>> RedisEventLog::append(const AppendRequest& request) {
  CommandBuffer& command = buffer_;
  command.clear();
  eval(command, Script::append, 2, 8);
  command.part(keys::job(request.id));
  command.part(keys::events(request.id));
  command.part(request.token.str());
  command.part(request.expected);
  command.part(std::uint64_t{request.count});
  command.part(run_id_);
  command.part(milliseconds(options_.lease_for));
  command.part(request.state ? to_string(*request.state) : std::string_view());
  command.part(milliseconds(options_.events_ttl) / 1000);
  command.part(request.lines);
  const auto replies = co_await run_script(command);
  if (!replies) co_return Failure(replies.error());
  const auto reply = replies->front().view();
  if (reply[0].number() == 1) co_return Failure(Errc::fenced);
  if (reply[0].number() == 2) co_return Failure(Errc::lost);
  leave_session(reply[2].text(), reply[3].text(), request.id);
  co_return Appended{.cancel_wanted = reply[1].number() == 1};
}

Task<Result<LogPage>> RedisEventLog::read(const JobId& id, Seq after) {
  // The hash first: a state that is newer than the lines would end a reader too early.
  CommandBuffer& command = buffer_;
  command.clear();
  command.command({"HMGET", keys::job(id), "state", "seq"});
  command.command({"XRANGE", keys::events(id), "(" + std::to_string(after) + "-0", "+", "COUNT",
                   std::to_string(limits::log_page_events + 1)});
  const auto replies = co_await commands_.call(command);
  if (!replies) co_return Failure(replies.error());
  const auto record = (*replies)[0].view();
  const auto entries = (*replies)[1].view();
  if (record[0].nil()) co_return Failure(Errc::not_found);
  LogPage page;
  page.state = state_of(record[0]);
  page.last = static_cast<Seq>(record[1].number());
  page.more = entries.size() > limits::log_page_events;
  const std::size_t count = std::min(entries.size(), limits::log_page_events);
  for (std::size_t i = 0; i < count; ++i) {
    const auto number = entries[i][0].text();
    page.lines.append(number.substr(0, number.find('-'))).append(" ");
    page.lines.append(entries[i][1][1].text()).append("\n");
  }
  co_return page;
}

void RedisEventLog::watch(const JobId& id, LogWatcher& watcher) {
  const std::string channel = keys::events(id);
  auto& listener = job_listeners_[channel][&watcher];
  if (listener) return;
  listener = std::make_unique<JobListener>(watcher);
  subscriber_.join(channel, *listener);
}

void RedisEventLog::unwatch(const JobId& id, LogWatcher& watcher) {
  const std::string channel = keys::events(id);
  const auto found = job_listeners_.find(channel);
  if (found == job_listeners_.end()) return;
  const auto listener = found->second.find(&watcher);
  if (listener == found->second.end()) return;
  subscriber_.leave(channel, *listener->second);
  found->second.erase(listener);
  if (found->second.empty()) job_listeners_.erase(found);
}

Task<Result<std::vector<JobId>>> RedisEventLog::session_jobs(std::string_view tenant,
                                                             std::string_view session) {
  CommandBuffer command;
  command.command({"ZRANGE", keys::session_live(tenant, session), "0", "-1"});
  const auto replies = co_await commands_.call(command);
  if (!replies) co_return Failure(replies.error());
  const auto members = replies->front().view();
  std::vector<JobId> ids;
  for (std::size_t i = 0; i < members.size(); ++i)
    if (const auto id = JobId::parse(members[i].text())) ids.push_back(*id);
  co_return ids;
}

void RedisEventLog::watch_session(std::string_view tenant, std::string_view session,
                                  SessionWatcher& watcher) {
  const std::string channel = keys::session_live(tenant, session);
  auto& listener = session_listeners_[channel][&watcher];
  if (listener) return;
  listener = std::make_unique<SessionListener>(watcher);
  subscriber_.join(channel, *listener);
}

void RedisEventLog::unwatch_session(std::string_view tenant, std::string_view session,
                                    SessionWatcher& watcher) {
  const std::string channel = keys::session_live(tenant, session);
  const auto found = session_listeners_.find(channel);
  if (found == session_listeners_.end()) return;
  const auto listener = found->second.find(&watcher);
  if (listener == found->second.end()) return;
  subscriber_.leave(channel, *listener->second);
  found->second.erase(listener);
  if (found->second.empty()) session_listeners_.erase(found);
}

Task<Result<LogState>> RedisEventLog::cancel(const JobId& id) {
  CommandBuffer& command = buffer_;
  command.clear();
  eval(command, Script::cancel, 1, 1);
  command.part(keys::job(id));
  command.part(id.str());
  command.command({"TIME"});
  ask_state(command, id);
  const auto replies = co_await run_script(command);
  if (!replies) co_return Failure(replies.error());
  const auto state = to_state((*replies)[2].view(), server_ms((*replies)[1].view()));
  if (!state) co_return Failure(Errc::not_found);
  co_return *state;
}

void RedisEventLog::on_cancel(std::string_view worker, std::function<void(const JobId&)> heard) {
  const std::string channel = keys::worker_control(worker);
  const auto found = cancel_listeners_.find(channel);
  if (found != cancel_listeners_.end()) {
    subscriber_.leave(channel, *found->second);
    cancel_listeners_.erase(found);
  }
  if (!heard) return;
  auto& listener = cancel_listeners_[channel];
  listener = std::make_unique<CancelListener>(std::move(heard));
  subscriber_.join(channel, *listener);
}

Task<Result<std::vector<std::optional<LogState>>>> RedisEventLog::states(
    std::span<const JobId> ids) {
  CommandBuffer command;
  command.command({"TIME"});
  for (const auto& id : ids) ask_state(command, id);
  const auto replies = co_await commands_.call(command);
  if (!replies) co_return Failure(replies.error());
  const auto now = server_ms(replies->front().view());
  std::vector<std::optional<LogState>> found;
  found.reserve(replies->size() - 1);
  for (std::size_t i = 1; i < replies->size(); ++i)
    found.push_back(to_state((*replies)[i].view(), now));
  co_return found;
}

Task<Result<std::string>> RedisEventLog::claim_store(std::string_view store_id) {
  CommandBuffer command;
  command.command({"SET", keys::store_id, store_id, "NX"});
  command.command({"GET", keys::store_id});
  const auto replies = co_await commands_.call(command);
  if (!replies) co_return Failure(replies.error());
  co_return std::string((*replies)[1].view().text());
}

}  // namespace millrace
