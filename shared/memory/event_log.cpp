#include "shared/memory/event_log.h"

#include "shared/contract/keys.h"
#include "shared/runtime/limits.h"

namespace millrace {

MemoryEventLog::MemoryEventLog(Clock& clock, memory::LogServer& server, memory::Link& commands,
                               memory::Link& messages)
    : clock_(clock),
      server_(server),
      commands_(commands),
      messages_(messages),
      run_(server.run()),
      ear_(std::make_shared<memory::Ear>(
          memory::Ear{messages, [this](const std::string& channel, const std::string& payload) {
                        heard(channel, payload);
                      }})) {
  commands_.on_restored([this] { run_ = server_.run(); });
  messages_.on_restored([this] { listen_again(); });
}

MemoryEventLog::~MemoryEventLog() {
  for (const auto& [channel, listeners] : channels_) server_.unsubscribe(channel, ear_.get());
  commands_.on_restored({});
  messages_.on_restored({});
}

Instant MemoryEventLog::deadline() const {
  return clock_.now() + limits::log_command_timeout;
}

// --- commands. What is sent owns what it says: its caller may be gone when it arrives.

Task<Result<Accepted>> MemoryEventLog::accept(const Job& job, std::string_view fingerprint,
                                              std::string_view queued_line) {
  auto there = [&server = server_, job, print = std::string(fingerprint),
                line = std::string(queued_line)] { return server.accept(job, print, line); };
  return memory::ask<Accepted>(commands_, std::move(there), deadline());
}

void MemoryEventLog::acknowledge(const Job& job) {
  commands_.tell([&server = server_, id = job.id] { server.acknowledge(id); });
}

Task<Result<>> MemoryEventLog::withdraw(const Job& job) {
  auto there = [&server = server_, job] { server.withdraw(job); };
  return commands_.call(std::move(there), deadline());
}

Task<Result<>> MemoryEventLog::forget(const JobId& id) {
  auto there = [&server = server_, id] { return server.forget(id); };
  return memory::ask<void>(commands_, std::move(there), deadline());
}

Task<Result<Begun>> MemoryEventLog::begin(const BeginRequest& request) {
  auto there = [&server = server_, run = run_, job = request.job, token = request.token,
                worker = std::string(request.worker), known = request.known,
                before = request.begun_before, force = request.force]() -> Result<Begun> {
    return server.begin({.job = job,
                         .token = token,
                         .worker = worker,
                         .known = known,
                         .begun_before = before,
                         .force = force},
                        run);
  };
  return memory::ask<Begun>(commands_, std::move(there), deadline());
}

Task<Result<Appended>> MemoryEventLog::append(const AppendRequest& request) {
  auto there = [&server = server_, run = run_, again = request,
                lines = std::string(request.lines)]() mutable {
    again.lines = lines;
    return server.append(again, run);
  };
  return memory::ask<Appended>(commands_, std::move(there), deadline());
}

Task<Result<LogPage>> MemoryEventLog::read(const JobId& id, Seq after) {
  auto there = [&server = server_, id, after] { return server.read(id, after); };
  return memory::ask<LogPage>(commands_, std::move(there), deadline());
}

Task<Result<LogState>> MemoryEventLog::cancel(const JobId& id) {
  auto there = [&server = server_, id] { return server.cancel(id); };
  return memory::ask<LogState>(commands_, std::move(there), deadline());
}

Task<Result<std::vector<std::optional<LogState>>>> MemoryEventLog::states(
    std::span<const JobId> ids) {
  using States = std::vector<std::optional<LogState>>;
  auto there = [&server = server_, asked = std::vector<JobId>(ids.begin(), ids.end())] {
    return Result<States>(server.states(asked));
  };
  return memory::ask<States>(commands_, std::move(there), deadline());
}

Task<Result<std::vector<JobId>>> MemoryEventLog::session_jobs(std::string_view tenant,
                                                              std::string_view session) {
  using Jobs = std::vector<JobId>;
  auto there = [&server = server_, key = keys::session_live(tenant, session)] {
    return Result<Jobs>(server.session_jobs(key));
  };
  return memory::ask<Jobs>(commands_, std::move(there), deadline());
}

Task<Result<std::string>> MemoryEventLog::claim_store(std::string_view store_id) {
  auto there = [&server = server_, id = std::string(store_id)] {
    return Result<std::string>(server.claim_store(id));
  };
  return memory::ask<std::string>(commands_, std::move(there), deadline());
}

// --- listening

std::uint64_t MemoryEventLog::join(const std::string& channel, Listener listener) {
  const auto number = ++joins_;
  channels_[channel].emplace(number, std::make_shared<Listener>(std::move(listener)));
  subscribe(channel);
  return number;
}

void MemoryEventLog::leave(const std::string& channel, std::uint64_t number) {
  const auto found = channels_.find(channel);
  if (found == channels_.end()) return;
  found->second.erase(number);
  if (!found->second.empty()) return;
  channels_.erase(found);
  server_.unsubscribe(channel, ear_.get());
}

void MemoryEventLog::subscribe(const std::string& channel) {
  messages_.tell([&server = server_, &back = messages_, weak = std::weak_ptr(ear_), this, channel] {
    const auto ear = weak.lock();
    if (!ear) return;
    server.subscribe(channel, ear);
    back.push([weak, this, channel] {
      if (weak.lock()) subscribed(channel);
    });
  });
}

void MemoryEventLog::subscribed(const std::string& channel) {
  const auto found = channels_.find(channel);
  if (found == channels_.end()) {
    server_.unsubscribe(channel, ear_.get());  // everybody left before it stood
    return;
  }
  const Listeners here = found->second;  // whoever is told may leave, and others join
  for (const auto& [number, listener] : here) {
    const auto still = channels_.find(channel);
    if (still == channels_.end()) return;
    if (!still->second.contains(number) || std::exchange(listener->told, true)) continue;
    if (listener->subscribed) listener->subscribed();
  }
}

void MemoryEventLog::heard(const std::string& channel, const std::string& payload) {
  const auto found = channels_.find(channel);
  if (found == channels_.end()) return;
  const Listeners here = found->second;
  for (const auto& [number, listener] : here) {
    const auto still = channels_.find(channel);
    if (still == channels_.end()) return;
    if (still->second.contains(number)) listener->message(payload);
  }
}

void MemoryEventLog::listen_again() {
  for (const auto& [channel, listeners] : channels_) {
    for (const auto& [number, listener] : listeners) listener->told = false;
    subscribe(channel);
  }
}

void MemoryEventLog::watch(const JobId& id, LogWatcher& watcher) {
  auto& seat = seats_[{keys::events(id), &watcher}];
  if (seat > 0) return;
  seat = join(keys::events(id),
              {.message = [&watcher](const std::string& lines) { watcher.on_lines(lines); },
               .subscribed = [&watcher] { watcher.on_uncertain(); }});
}

void MemoryEventLog::unwatch(const JobId& id, LogWatcher& watcher) {
  const auto found = seats_.find({keys::events(id), &watcher});
  if (found == seats_.end()) return;
  const auto number = found->second;
  seats_.erase(found);
  leave(keys::events(id), number);
}

void MemoryEventLog::watch_session(std::string_view tenant, std::string_view session,
                                   SessionWatcher& watcher) {
  const std::string channel = keys::session_live(tenant, session);
  auto& seat = seats_[{channel, &watcher}];
  if (seat > 0) return;
  seat = join(channel, {.message =
                            [&watcher](const std::string& payload) {
                              if (const auto id = JobId::parse(payload)) watcher.on_job(*id);
                            },
                        .subscribed = [&watcher] { watcher.on_uncertain(); }});
}

void MemoryEventLog::unwatch_session(std::string_view tenant, std::string_view session,
                                     SessionWatcher& watcher) {
  const std::string channel = keys::session_live(tenant, session);
  const auto found = seats_.find({channel, &watcher});
  if (found == seats_.end()) return;
  const auto number = found->second;
  seats_.erase(found);
  leave(channel, number);
}

void MemoryEventLog::on_cancel(std::string_view worker, std::function<void(const JobId&)> heard) {
  const std::string channel = keys::worker_control(worker);
  const auto found = seats_.find({channel, nullptr});
  if (found != seats_.end()) {
    leave(channel, found->second);
    seats_.erase(found);
  }
  if (!heard) return;
  seats_[{channel, nullptr}] =
      join(channel, {.message =
                         [heard = std::move(heard)](const std::string& payload) {
                           if (const auto id = JobId::parse(payload)) heard(*id);
                         },
                     .subscribed = {}});
}

}  // namespace millrace
