#include "shared/postgres/port.h"

namespace millrace::postgres {
namespace {

std::size_t weight(const Outcome& outcome) {
  std::size_t bytes = outcome.text.size() + outcome.error_message.size() + outcome.usage.size();
  for (const auto& call : outcome.tool_calls) bytes += call.name.size() + call.arguments.size();
  return bytes;
}

/// The job as the upsert, still on its way, leaves it.
void set_begun(StoredJob& job, std::uint32_t attempt, WallTime now) {
  if (terminal(job.state)) return;
  job.state = JobState::running;
  job.attempts = std::max(job.attempts, attempt);
  if (!job.started_at) job.started_at = now;
}

}  // namespace

Port::Port(Clock& clock, Desks desks, std::string id)
    : clock_(clock), desks_(desks), id_(std::move(id)), caller_(clock) {}

Result<> Port::note_accepted(const Job& job, std::string_view fingerprint) {
  if (desks_.writer.desk().full()) return Failure(Errc::overloaded);
  Caller::write_later(
      desks_.writer.desk(), job.id, job.envelope.size(),
      [row = JobRow(job, fingerprint)](Tables& tables) { return tables.jobs.note(row); });
  return {};
}

Task<Result<BegunJob>> Port::begin(const Job& job, std::uint32_t attempt) {
  // Reading may work where writing does not; nothing is begun that could not be ended.
  if (!healthy()) co_return Failure(Errc::unavailable);
  if (desks_.writer.desk().full()) co_return Failure(Errc::overloaded);
  const auto now = clock_.wall();
  Caller::write_later(desks_.writer.desk(), job.id, job.envelope.size(),
                      [row = JobRow(job, ""), attempt, now](Tables& tables) {
                        return tables.jobs.begin(row, attempt, now);
                      });
  auto begun = co_await caller_.ask<BegunJob>(
      desks_.reads.desk(), {}, 0,
      [id = job.id](Tables& tables) { return tables.jobs.read_begun(id); });
  if (!begun) co_return begun;
  if (begun->job.tenant.empty()) begun->job = as_accepted(job);
  begun->begun_before = begun->job.started_at.has_value();
  set_begun(begun->job, attempt, now);
  co_return begun;
}

Task<Result<>> Port::save_step(const JobId& id, const Step& step) {
  return caller_.ask<void>(desks_.writer.desk(), id, step.output.size(),
                           [id, step](Tables& tables) { return tables.jobs.save_step(id, step); });
}

Task<Result<Finished>> Port::finish(const Job& job, const Outcome& outcome, const Step* step) {
  const std::size_t bytes =
      job.envelope.size() + weight(outcome) + (step ? step->output.size() : 0);
  auto work = [row = JobRow(job, ""), outcome, step = step ? std::optional(*step) : std::nullopt,
               now = clock_.wall()](Tables& tables) {
    return tables.jobs.finish(row, outcome, step ? &*step : nullptr, now);
  };
  return caller_.ask<Finished>(desks_.writer.desk(), job.id, bytes, std::move(work));
}

Task<Result<StoredJob>> Port::want_cancel(std::string_view tenant, const JobId& id) {
  return caller_.ask<StoredJob>(desks_.writer.desk(), id, 0,
                                [tenant = std::string(tenant), id](Tables& tables) {
                                  return tables.jobs.want_cancel(tenant, id);
                                });
}

Task<Result<StoredJob>> Port::find(std::string_view tenant, const JobId& id) {
  return caller_.ask<StoredJob>(
      desks_.reads.desk(), {}, 0,
      [tenant = std::string(tenant), id](Tables& tables) { return tables.jobs.find(tenant, id); });
}

Task<Result<StoredJob>> Port::find_noted(std::string_view tenant, const JobId& id) {
  return find_behind_notes(std::string(tenant), id);
}

Task<Result<StoredJob>> Port::find_behind_notes(std::string tenant, JobId id) {
  auto found = co_await find(tenant, id);
  if (found || found.error() != Errc::not_found) co_return found;
  co_return co_await caller_.ask<StoredJob>(
      desks_.writer.desk(), id, 0,
      [tenant, id](Tables& tables) { return tables.jobs.find(tenant, id); });
}

Task<Result<std::vector<StoredJob>>> Port::list(const JobFilter& filter) {
  return caller_.ask<std::vector<StoredJob>>(
      desks_.lists.desk(), {}, 0, [filter](Tables& tables) { return tables.jobs.list(filter); });
}

}  // namespace millrace::postgres
