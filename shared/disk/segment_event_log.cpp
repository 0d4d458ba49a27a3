#include "shared/disk/segment_event_log.h"

#include <boost/asio/post.hpp>

namespace millrace {

using disk::session_name;

SegmentEventLog::SegmentEventLog(Clock& clock, disk::SegmentLog& log)
    : clock_(clock),
      log_(log),
      inbox_(std::make_shared<disk::Inbox>(clock, static_cast<disk::Ear&>(*this))) {}

SegmentEventLog::~SegmentEventLog() {
  for (const auto& id : jobs_.keys()) log_.unlisten(id, *inbox_);
  for (const auto& name : sessions_.keys()) log_.sessions().unlisten(name, *inbox_);
  for (const auto& [worker, heard] : cancels_) log_.unlisten_for_cancels(worker, *inbox_);
  inbox_->close();
}

Task<Result<Accepted>> SegmentEventLog::accept(const Job& job, std::string_view fingerprint,
                                               std::string_view queued_line) {
  co_return log_.accept(job, fingerprint, queued_line, now());
}

void SegmentEventLog::acknowledge(const Job& job) {
  log_.acknowledge(job.id);
}

Task<Result<>> SegmentEventLog::withdraw(const Job& job) {
  co_return log_.withdraw(job.id);
}

Task<Result<>> SegmentEventLog::forget(const JobId& id) {
  co_return log_.forget(id, now());
}

Task<Result<Begun>> SegmentEventLog::begin(const BeginRequest& request) {
  co_return log_.begin(request, now());
}

Task<Result<Appended>> SegmentEventLog::append(const AppendRequest& request) {
  co_return log_.append(request, now());
}

Task<Result<LogPage>> SegmentEventLog::read(const JobId& id, Seq after) {
  const JobId of = id;
  // Whoever reads page after page lets others have their turn.
  co_await asio::post(clock_.loop(), use_task);
  auto page = log_.read(of, after, clock_.wall(), disk::Patience::none);
  if (!page && page.error() == Errc::timed_out) page = co_await read_cold(of, after);
  co_return page;
}

Task<Result<LogPage>> SegmentEventLog::read_cold(JobId id, Seq after) {
  const std::uint64_t number = ++numbers_;
  const auto read = std::make_shared<ColdRead>(clock_);
  cold_reads_.emplace(number, read);
  log_.read_later(id, after, clock_.wall(), [inbox = inbox_, read, number](Result<LogPage> page) {
    read->page = std::move(page);
    inbox->put_read(number);
  });
  const Instant by = clock_.now() + limits::log_command_timeout;
  while (!read->told && clock_.now() < by) co_await read->done.wait_until(by);
  if (!read->told) co_return Failure(Errc::timed_out);
  co_return std::move(read->page);
}

Task<Result<std::vector<JobId>>> SegmentEventLog::session_jobs(std::string_view tenant,
                                                               std::string_view session) {
  co_return log_.session_jobs(tenant, session);
}

Task<Result<LogState>> SegmentEventLog::cancel(const JobId& id) {
  co_return log_.cancel(id, now());
}

Task<Result<std::vector<std::optional<LogState>>>> SegmentEventLog::states(
    std::span<const JobId> ids) {
  co_return log_.states(ids, now());
}

Task<Result<std::string>> SegmentEventLog::claim_store(std::string_view store_id) {
  co_return log_.claim_store(store_id);
}

// --- listening

void SegmentEventLog::watch(const JobId& id, LogWatcher& watcher) {
  if (const auto seat = jobs_.join(id, watcher, ++numbers_)) log_.listen(id, *inbox_, *seat);
}

void SegmentEventLog::unwatch(const JobId& id, LogWatcher& watcher) {
  if (jobs_.leave(id, watcher)) log_.unlisten(id, *inbox_);
}

void SegmentEventLog::watch_session(std::string_view tenant, std::string_view session,
                                    SessionWatcher& watcher) {
  const std::string name = session_name(tenant, session);
  if (const auto seat = sessions_.join(name, watcher, ++numbers_))
    log_.sessions().listen(name, *inbox_, *seat);
}

void SegmentEventLog::unwatch_session(std::string_view tenant, std::string_view session,
                                      SessionWatcher& watcher) {
  const std::string name = session_name(tenant, session);
  if (sessions_.leave(name, watcher)) log_.sessions().unlisten(name, *inbox_);
}

void SegmentEventLog::on_cancel(std::string_view worker, std::function<void(const JobId&)> heard) {
  const std::string name(worker);
  const bool listening = cancels_.contains(name);
  if (heard) {
    cancels_[name] = std::move(heard);
    if (!listening) log_.listen_for_cancels(name, *inbox_);
  } else if (listening) {
    log_.unlisten_for_cancels(name, *inbox_);
    cancels_.erase(name);
  }
}

void SegmentEventLog::on_lines(const JobId& id, std::string_view lines) noexcept {
  jobs_.tell(id, [lines](LogWatcher& watcher) { watcher.on_lines(lines); });
}

void SegmentEventLog::on_joined(const JobId& id, std::string_view session) noexcept {
  sessions_.tell(std::string(session), [&id](SessionWatcher& watcher) { watcher.on_job(id); });
}

void SegmentEventLog::on_cancel(const JobId& id, std::string_view worker) noexcept {
  if (const auto found = cancels_.find(worker); found != cancels_.end()) found->second(id);
}

void SegmentEventLog::on_listening(std::uint64_t listener) noexcept {
  jobs_.tell_one(listener, [](LogWatcher& watcher) { watcher.on_uncertain(); });
  sessions_.tell_one(listener, [](SessionWatcher& watcher) { watcher.on_uncertain(); });
}

void SegmentEventLog::on_read(std::uint64_t number) noexcept {
  const auto found = cold_reads_.find(number);
  if (found == cold_reads_.end()) return;
  found->second->told = true;
  found->second->done.notify();
  cold_reads_.erase(found);
}

void SegmentEventLog::on_missed() noexcept {
  jobs_.tell_all([](LogWatcher& watcher) { watcher.on_uncertain(); });
  sessions_.tell_all([](SessionWatcher& watcher) { watcher.on_uncertain(); });
}

}  // namespace millrace
