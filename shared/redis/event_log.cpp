#include "shared/redis/event_log.h"

#include "shared/contract/keys.h"
#include "shared/runtime/log.h"

namespace millrace {

using redis::CommandBuffer;
using redis::Replies;
using redis::Script;

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
          clock, redis::parse_address(options_.url), options_.command_timeout,
          {.on_connected = [this](redis::Connection& connection) { return prepare(connection); },
           .on_push = {},
           .on_lost = {}}),
      subscriber_(clock, redis::parse_address(options_.url), options_.command_timeout) {}

RedisEventLog::~RedisEventLog() = default;

Task<> RedisEventLog::run() {
  Nursery nursery(clock_);
  const struct Running {
    Nursery*& tasks;
    ~Running() { tasks = nullptr; }
  } running{tasks_ = &nursery};
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
  const auto replies = co_await connection.exchange(commands, connection.deadline());
  if (!replies) co_return Failure(replies.error());
  if (const auto error = refused(*replies)) co_return Failure(*error);  // loading its data, say
  const auto info = replies->front().view().text();
  constexpr std::string_view name = "run_id:";
  const auto at = info.find(name);
  if (at == std::string_view::npos) {
    log::error("redis_without_run_id", {});
    co_return Failure(Errc::unavailable);
  }
  run_id_ = info.substr(at + name.size(), 40);
  if (warned_) co_return Result<>{};
  commands.clear();
  commands.command({"CONFIG", "GET", "appendonly"});
  commands.command({"CONFIG", "GET", "maxmemory-policy"});
  const auto settings = co_await connection.exchange(commands, connection.deadline());
  if (!settings) co_return Failure(settings.error());
  warn_of_settings(*settings);
  co_return Result<>{};
}

/// Once a process lifetime; a server that does not show its settings is taken at its word.
void RedisEventLog::warn_of_settings(const Replies& settings) {
  warned_ = true;
  const auto append_only = settings[0].view()[1].text();
  const auto policy = settings[1].view()[1].text();
  if (append_only == "no")
    log::warn("redis_not_durable",
              {{"remedy", "set `appendonly yes`: without it a restart forgets running jobs"}});
  if (!policy.empty() && policy != "noeviction")
    log::warn("redis_evicts",
              {{"policy", policy}, {"remedy", "set `maxmemory-policy noeviction`"}});
}

void RedisEventLog::script(ScriptShape shape, CommandBuffer& command, bool by_digest) {
  command.command(3 + shape.keys + shape.arguments);
  command.part(by_digest ? "EVALSHA" : "EVAL");
  command.part(by_digest ? std::string_view(redis::digest(shape.script))
                         : redis::source(shape.script));
  command.part(std::uint64_t{shape.keys});
}

/// By its digest first; a server that has forgotten the script (SCRIPT FLUSH, a failover) is sent
/// its text, and knows it again.
Task<Result<Replies>> RedisEventLog::run_script(ScriptShape shape, Instant by, Fill fill) {
  for (const bool by_digest : {true, false}) {
    buffer_.clear();
    script(shape, buffer_, by_digest);
    fill(buffer_);
    auto replies = co_await commands_.call(buffer_, by);
    if (!replies) co_return Failure(replies.error());
    const bool forgotten = replies->front().view().text().starts_with("NOSCRIPT");
    if (forgotten && by_digest) continue;
    if (const auto error = refused(*replies)) co_return Failure(*error);
    co_return std::move(*replies);
  }
  co_return Failure(Errc::unavailable);
}

Task<Result<Replies>> RedisEventLog::ask(const CommandBuffer& commands, Instant by) {
  auto replies = co_await commands_.call(commands, by);
  if (!replies) co_return Failure(replies.error());
  if (const auto error = refused(*replies)) co_return Failure(*error);
  co_return std::move(*replies);
}

/// What an error reply means to the caller. Redis names the kind in the first word.
std::optional<Errc> RedisEventLog::refused(const Replies& replies) {
  for (const auto& reply : replies) {
    if (!reply.view().error()) continue;
    const auto said = reply.view().text();
    if (const Instant now = clock_.now(); now >= next_complaint_) {
      next_complaint_ = now + 1s;
      log::warn("redis_refused", {{"said", said}});
    }
    return said.starts_with("WRONGTYPE") ? Errc::corrupt : Errc::unavailable;
  }
  return std::nullopt;
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

}  // namespace millrace
