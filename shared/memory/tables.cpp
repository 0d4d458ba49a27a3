#include "shared/memory/tables.h"

#include <algorithm>

namespace millrace::memory {

StoredJob& Tables::upsert(const Job& job) {
  return rows_.try_emplace(job.id, as_accepted(job)).first->second;
}

void Tables::note(const Job& job, const std::string& fingerprint) {
  StoredJob& row = upsert(job);
  if (row.fingerprint.empty()) row.fingerprint = fingerprint;
}

BegunJob Tables::begin(const Job& job, std::uint32_t attempt) {
  StoredJob& row = upsert(job);
  const bool begun_before = row.started_at.has_value();
  if (!terminal(row.state)) {
    row.state = JobState::running;
    row.attempts = std::max(row.attempts, attempt);
    if (!row.started_at) row.started_at = time_();
  }
  BegunJob begun{.job = row, .steps = steps(job.id), .begun_before = begun_before};
  if (bugs_.end_is_forgotten) {
    begun.job.outcome.reset();
    begun.steps.clear();
  }
  return begun;
}

void Tables::keep_step(const JobId& id, const Step& step) {
  auto& steps = steps_[id];
  const auto same = [&step](const Step& other) {
    return other.index == step.index && other.input_hash == step.input_hash;
  };
  if (std::ranges::any_of(steps, same)) return;
  steps.insert(std::ranges::upper_bound(steps, step.index, {}, &Step::index), step);
}

Result<> Tables::save_step(const JobId& id, const Step& step) {
  const auto* stands = row(id);
  if (stands && terminal(stands->state)) return Failure(Errc::fenced);
  keep_step(id, step);
  return {};
}

void Tables::set_outcome(StoredJob& row, const Outcome& outcome) {
  row.state = outcome.state;
  row.outcome = outcome;
  row.ended_at = time_();
  if (finished_) finished_(row.id, outcome);
}

Finished Tables::finish(const Job& job, const Outcome& outcome, const Step* step) {
  StoredJob& row = upsert(job);
  if (terminal(row.state) && !bugs_.last_finish_wins)
    return {.first = false, .outcome = *row.outcome};
  set_outcome(row, outcome);
  if (!job.kept) unkept_.insert(job.id);
  if (step) keep_step(job.id, *step);
  return {.first = true, .outcome = outcome};
}

Result<StoredJob> Tables::want_cancel(const std::string& tenant, const JobId& id) {
  const auto found = rows_.find(id);
  if (found == rows_.end() || found->second.tenant != tenant) return Failure(Errc::not_found);
  if (!terminal(found->second.state)) found->second.cancel_wanted = true;
  return found->second;
}

std::uint64_t Tables::count_live(const std::string& tenant, std::uint64_t most) const {
  const auto live = std::ranges::count_if(rows_, [&tenant](const auto& row) {
    return row.second.tenant == tenant && !terminal(row.second.state);
  });
  return std::min(static_cast<std::uint64_t>(live), most);
}

Result<StoredJob> Tables::find(const JobId& id) const {
  const auto* found = row(id);
  if (!found) return Failure(Errc::not_found);
  return *found;
}

void Tables::redact(const Job& job) {
  const auto found = rows_.find(job.id);
  if (found == rows_.end() || found->second.tenant != job.tenant || !found->second.outcome) return;
  found->second.envelope = job.envelope;
  found->second.outcome->text.clear();
  found->second.outcome->tool_calls.clear();
  found->second.outcome->asides = {};
  steps_.erase(job.id);
  unkept_.erase(job.id);
}

std::vector<StoredJob> Tables::unkept(WallTime ended_before, std::uint32_t limit) const {
  std::vector<StoredJob> found;
  for (const auto& id : unkept_)
    if (const auto* job = row(id); job && job->ended_at < ended_before) found.push_back(*job);
  std::ranges::sort(found, {}, [](const StoredJob& job) { return *job.ended_at; });
  if (found.size() > limit) found.resize(limit);
  return found;
}

Result<StoredJob> Tables::find(const std::string& tenant, const JobId& id) const {
  const auto* found = row(id);
  if (!found || found->tenant != tenant) return Failure(Errc::not_found);
  return *found;
}

Result<std::vector<StoredJob>> Tables::list(const JobFilter& filter) const {
  const auto age = [](const StoredJob& job) { return std::pair(job.created_at, job.id); };
  std::optional<std::pair<WallTime, JobId>> before;
  if (filter.after) {
    const auto last = find(filter.tenant, *filter.after);
    if (!last) return Failure(last.error());
    before = age(*last);
  }
  std::vector<StoredJob> jobs;
  for (const auto& [id, row] : rows_) {
    const bool wanted = row.tenant == filter.tenant &&
                        (!filter.state || row.state == *filter.state) &&
                        (filter.kind.empty() || row.kind == filter.kind) &&
                        (filter.session.empty() || row.session == filter.session) &&
                        (!before || age(row) < *before);
    if (wanted) jobs.push_back(row);
  }
  std::ranges::sort(jobs, std::greater{}, age);
  if (jobs.size() > filter.limit) jobs.resize(filter.limit);
  return jobs;
}

const StoredJob* Tables::row(const JobId& id) const {
  const auto found = rows_.find(id);
  return found == rows_.end() ? nullptr : &found->second;
}

std::vector<const StoredJob*> Tables::rows() const {
  std::vector<const StoredJob*> all;
  for (const auto& [id, row] : rows_) all.push_back(&row);
  std::ranges::sort(all, {}, [](const StoredJob* job) { return job->id; });
  return all;
}

const std::vector<Step>& Tables::steps(const JobId& id) const {
  static const std::vector<Step> none;
  const auto found = steps_.find(id);
  return found == steps_.end() ? none : found->second;
}

}  // namespace millrace::memory
