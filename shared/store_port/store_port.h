#pragma once
#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/contract/answer_note.h"
#include "shared/contract/job_row.h"
#include "shared/runtime/clock.h"
#include "shared/store.h"

namespace millrace {

/// One loop's Store: turns each verb into work for the right desk and waits for its answer, at
/// most `limits::store_timeout`. `Desks`: the folder's README.
template <class Desks>
class StorePort final : public Store {
  using Tables = typename Desks::Tables;

 public:
  /// Both outlive it.
  StorePort(Clock& clock, const ModelPrices& prices, typename Desks::Parts parts, std::string id)
      : clock_(clock), prices_(prices), id_(std::move(id)), desks_(clock, parts) {}

  Result<> note_accepted(const Job& job, std::string_view fingerprint) override {
    if (!desks_.notes(fingerprint)) return {};
    if (desks_.full()) return Failure(Errc::overloaded);
    desks_.write_later(Desks::lock(job.id), job.envelope.size(),
                       [row = JobRow(job, fingerprint), now = clock_.wall()](Tables& tables) {
                         return tables.jobs.note(row, now);
                       });
    return {};
  }

  Task<Result<BegunJob>> begin(const Job& job, std::uint32_t attempt) override {
    // Reading may work where writing does not; nothing is begun that could not be ended.
    if (!healthy()) co_return Failure(Errc::unavailable);
    if (desks_.full()) co_return Failure(Errc::overloaded);
    const auto now = clock_.wall();
    desks_.write_later(Desks::lock(job.id), job.envelope.size(),
                       [row = JobRow(job, ""), attempt, now](Tables& tables) {
                         return tables.jobs.begin(row, attempt, now);
                       });
    auto begun = co_await desks_.template read<BegunJob>(
        [id = job.id](Tables& tables) { return tables.jobs.read_begun(id); });
    if (!begun) co_return begun;
    if (begun->job.tenant.empty()) begun->job = as_accepted(job);
    begun->begun_before = begun->job.started_at.has_value();
    set_begun(begun->job, attempt, now);
    co_return begun;
  }

  Task<Result<>> save_step(const JobId& id, const Step& step) override {
    return desks_.template write<void>(
        Desks::lock(id), step.output.size(),
        [id, step](Tables& tables) { return tables.jobs.save_step(id, step); });
  }

  Task<Result<Finished>> finish(const Job& job, const Outcome& outcome, const Step* step) override {
    const std::size_t bytes =
        job.envelope.size() + weight(outcome) + (step ? step->output.size() : 0);
    return desks_.template write<Finished>(
        Desks::lock(job.id), bytes,
        [row = JobRow(job, ""), outcome, note = note(job, outcome),
         step = step ? std::optional(*step) : std::nullopt, now = clock_.wall()](Tables& tables) {
          return tables.jobs.finish(row, outcome, note, step ? &*step : nullptr, now);
        });
  }

  Task<Result<StoredJob>> want_cancel(std::string_view tenant, const JobId& id) override {
    return desks_.template write<StoredJob>(Desks::lock(id), 0,
                                            [tenant = std::string(tenant), id](Tables& tables) {
                                              return tables.jobs.want_cancel(tenant, id);
                                            });
  }

  Task<Result<>> redact(const Job& job) override {
    return desks_.template write<void>(
        Desks::lock(job.id), job.envelope.size(),
        [row = JobRow(job, "")](Tables& tables) { return tables.jobs.redact(row); });
  }

  Task<Result<std::vector<StoredJob>>> unkept(WallTime ended_before, std::uint32_t limit) override {
    return desks_.template list<std::vector<StoredJob>>(
        [ended_before, limit](Tables& tables) { return tables.jobs.unkept(ended_before, limit); });
  }

  Task<Result<StoredJob>> find(std::string_view tenant, const JobId& id) override {
    return desks_.template read<StoredJob>([tenant = std::string(tenant), id](Tables& tables) {
      return tables.jobs.find(tenant, id);
    });
  }

  Task<Result<StoredJob>> find_noted(const JobId& id) override { return find_behind_notes(id); }

  Task<Result<std::vector<StoredJob>>> list(const JobFilter& filter) override {
    return desks_.template list<std::vector<StoredJob>>(
        [filter](Tables& tables) { return tables.jobs.list(filter); });
  }

  Task<Result<std::uint64_t>> live_jobs(std::string_view tenant, std::uint64_t most) override {
    return desks_.template write<std::uint64_t>(
        Desks::lock(tenant, ""), 0, [tenant = std::string(tenant), most](Tables& tables) {
          return tables.jobs.count_live(tenant, most);
        });
  }

  std::string id() const override { return id_; }
  bool healthy() const override { return desks_.healthy(); }

 private:
  static std::size_t weight(const Outcome& outcome) {
    std::size_t bytes = outcome.text.size() + outcome.error_message.size() + outcome.usage.size();
    bytes += outcome.asides.reasoning.size() + outcome.asides.refusal.size();
    for (const auto& call : outcome.tool_calls) bytes += call.name.size() + call.arguments.size();
    return bytes;
  }

  AnswerNote note(const Job& job, const Outcome& outcome) const {
    return job.session.empty() ? AnswerNote() : note_answer(outcome, prices_);
  }

  /// The job as the upsert, still on its way, leaves it.
  static void set_begun(StoredJob& job, std::uint32_t attempt, WallTime now) {
    if (terminal(job.state)) return;
    job.state = JobState::running;
    job.attempts = std::max(job.attempts, attempt);
    if (!job.started_at) job.started_at = now;
  }

  Task<Result<StoredJob>> find_behind_notes(JobId id) {
    auto found = co_await desks_.template read<StoredJob>(
        [id](Tables& tables) { return tables.jobs.find(id); });
    if (found || found.error() != Errc::not_found) co_return found;
    co_return co_await desks_.template write<StoredJob>(
        Desks::lock(id), 0, [id](Tables& tables) { return tables.jobs.find(id); });
  }

  Clock& clock_;
  const ModelPrices& prices_;
  const std::string id_;
  Desks desks_;
};

}  // namespace millrace
