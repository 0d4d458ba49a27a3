#include "shared/sqlite/port.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>

#include "shared/runtime/limits.h"

namespace millrace::sqlite {
namespace {

// What a call weighs beside the text it carries.
constexpr std::size_t call_bytes = 400;

std::size_t weight(const Outcome& outcome) {
  return outcome.text.size() + outcome.error_message.size() + outcome.usage.size();
}

StoredJob unknown(const Job& job) {
  StoredJob stored;
  stored.id = job.id;
  stored.tenant = job.tenant;
  stored.kind = job.kind;
  stored.session = job.session;
  stored.model = job.model;
  stored.envelope = job.envelope;
  stored.created_at = job.created_at;
  stored.deadline = job.deadline;
  return stored;
}

/// The job as the upsert, still on its way, leaves it.
void set_begun(StoredJob& job, std::uint32_t attempt, WallTime now) {
  if (terminal(job.state)) return;
  job.state = JobState::running;
  job.attempts = std::max(job.attempts, attempt);
  if (!job.started_at) job.started_at = now;
}

/// A job without a row is news, not an error: its tenant is then empty.
Result<BegunJob> read_begun(JobTable& table, const JobId& id) {
  BegunJob begun;
  auto job = table.find(id);
  if (job)
    begun.job = std::move(*job);
  else if (job.error() != Errc::not_found)
    return Failure(job.error());
  auto steps = table.steps(id);
  if (!steps) return Failure(steps.error());
  begun.steps = std::move(*steps);
  return begun;
}

}  // namespace

Port::Port(Clock& clock, Threads threads, std::string id)
    : clock_(clock), threads_(threads), id_(std::move(id)), port_(threads_.replies.enter(clock)) {}

Port::~Port() {
  threads_.replies.leave(port_);
}

template <class T, class Work>
Task<Result<T>> Port::ask(CallQueue& queue, std::size_t bytes, Work work) {
  if (queue.full()) co_return Failure(Errc::overloaded);
  std::optional<Result<T>> reply;
  auto call = std::make_unique<AwaitedCall<T, Work>>(std::move(work), reply);
  call->port = port_;
  call->bytes = bytes + call_bytes;
  boost::system::error_code ended;
  auto token = asio::redirect_error(use_task, ended);
  auto enter = [&](auto handler) {
    const auto deadline = clock_.now() + limits::store_timeout;
    clock_.async_wait(deadline, &call->timer, std::move(handler));
    queue.push(std::move(call));
  };
  co_await asio::async_initiate<decltype(token), void(boost::system::error_code)>(enter, token);
  if (reply) co_return std::move(*reply);
  if (ended == asio::error::operation_aborted) throw boost::system::system_error(ended);
  co_return Failure(Errc::timed_out);
}

template <class Work>
void Port::write_later(std::size_t bytes, Work work) {
  auto call = std::make_unique<LateCall<Work>>(std::move(work));
  call->bytes = bytes + call_bytes;
  threads_.writes.queue().push(std::move(call));
}

Result<> Port::note_accepted(const Job& job, std::string_view fingerprint) {
  if (threads_.writes.queue().full()) return Failure(Errc::overloaded);
  write_later(job.envelope.size(),
              [row = JobRow(job, fingerprint)](JobTable& table) { return table.note(row); });
  return {};
}

Task<Result<BegunJob>> Port::begin(const Job& job, std::uint32_t attempt) {
  // Reading may work where writing does not; nothing is begun that could not be ended.
  if (!healthy()) co_return Failure(Errc::unavailable);
  if (threads_.writes.queue().full()) co_return Failure(Errc::overloaded);
  const auto now = clock_.wall();
  write_later(job.envelope.size(), [row = JobRow(job, ""), attempt, now](JobTable& table) {
    return table.begin(row, attempt, now);
  });
  auto begun = co_await ask<BegunJob>(
      threads_.reads, 0, [id = job.id](JobTable& table) { return read_begun(table, id); });
  if (!begun) co_return begun;
  if (begun->job.tenant.empty()) begun->job = unknown(job);
  set_begun(begun->job, attempt, now);
  co_return begun;
}

Task<Result<>> Port::save_step(const JobId& id, const Step& step) {
  return ask<void>(threads_.writes.queue(), step.output.size(),
                   [id, step](JobTable& table) { return table.save_step(id, step); });
}

Task<Result<Finished>> Port::finish(const Job& job, const Outcome& outcome, const Step* step) {
  const std::size_t bytes =
      job.envelope.size() + weight(outcome) + (step ? step->output.size() : 0);
  auto work = [row = JobRow(job, ""), outcome, step = step ? std::optional(*step) : std::nullopt,
               now = clock_.wall()](JobTable& table) {
    return table.finish(row, outcome, step ? &*step : nullptr, now);
  };
  return ask<Finished>(threads_.writes.queue(), bytes, std::move(work));
}

Task<Result<StoredJob>> Port::want_cancel(std::string_view tenant, const JobId& id) {
  return ask<StoredJob>(threads_.writes.queue(), 0,
                        [tenant = std::string(tenant), id](JobTable& table) {
                          return table.want_cancel(tenant, id);
                        });
}

Task<Result<StoredJob>> Port::find(std::string_view tenant, const JobId& id) {
  return ask<StoredJob>(threads_.reads, 0, [tenant = std::string(tenant), id](JobTable& table) {
    return table.find(tenant, id);
  });
}

Task<Result<std::vector<StoredJob>>> Port::list(const JobFilter& filter) {
  return ask<std::vector<StoredJob>>(threads_.lists, 0,
                                     [filter](JobTable& table) { return table.list(filter); });
}

}  // namespace millrace::sqlite
