#include "shared/memory/store.h"

namespace millrace {

Result<> MemoryStore::note_accepted(const Job& job, std::string_view fingerprint) {
  if (!link_.up()) return Failure(Errc::overloaded);
  link_.tell(
      [&tables = tables_, job, print = std::string(fingerprint)] { tables.note(job, print); });
  return {};
}

Task<Result<BegunJob>> MemoryStore::begin(const Job& job, std::uint32_t attempt) {
  return ask<BegunJob>(
      [&tables = tables_, job, attempt] { return Result<BegunJob>(tables.begin(job, attempt)); });
}

Task<Result<>> MemoryStore::save_step(const JobId& id, const Step& step) {
  return save(id, step);
}

Task<Result<>> MemoryStore::save(JobId id, Step step) {
  const auto saved = co_await ask<Result<>>(
      [&tables = tables_, id, step] { return Result<Result<>>(tables.save_step(id, step)); });
  if (!saved) co_return Failure(saved.error());
  co_return *saved;
}

/// Planted: see Bugs.
Task<Result<Finished>> MemoryStore::finish_later(memory::Link::Work there, Outcome outcome) {
  link_.tell(std::move(there));
  co_return Finished{.first = true, .outcome = std::move(outcome)};
}

Task<Result<Finished>> MemoryStore::finish(const Job& job, const Outcome& outcome,
                                           const Step* step) {
  auto there = [&tables = tables_, job, outcome,
                last = step ? std::optional(*step) : std::nullopt] {
    return Result<Finished>(tables.finish(job, outcome, last ? &*last : nullptr));
  };
  if (bugs_.finish_is_late) return finish_later(std::move(there), outcome);
  return ask<Finished>(std::move(there));
}

Task<Result<StoredJob>> MemoryStore::want_cancel(std::string_view tenant, const JobId& id) {
  return ask<StoredJob>(
      [&tables = tables_, of = std::string(tenant), id] { return tables.want_cancel(of, id); });
}

Task<Result<>> MemoryStore::redact(const Job& job) {
  return forget(job);
}

Task<Result<>> MemoryStore::forget(Job job) {
  const auto gone = co_await ask<bool>([&tables = tables_, job] {
    tables.redact(job);
    return Result<bool>(true);
  });
  if (!gone) co_return Failure(gone.error());
  co_return Result<>();
}

Task<Result<std::vector<StoredJob>>> MemoryStore::unkept(WallTime ended_before,
                                                         std::uint32_t limit) {
  using Jobs = std::vector<StoredJob>;
  return ask<Jobs>([&tables = tables_, ended_before, limit] {
    return Result<Jobs>(tables.unkept(ended_before, limit));
  });
}

Task<Result<StoredJob>> MemoryStore::find(std::string_view tenant, const JobId& id) {
  return ask<StoredJob>(
      [&tables = tables_, of = std::string(tenant), id] { return tables.find(of, id); });
}

/// Notes and questions go one way, in order.
Task<Result<StoredJob>> MemoryStore::find_noted(const JobId& id) {
  return ask<StoredJob>([&tables = tables_, id] { return tables.find(id); });
}

Task<Result<std::vector<StoredJob>>> MemoryStore::list(const JobFilter& filter) {
  return ask<std::vector<StoredJob>>([&tables = tables_, filter] { return tables.list(filter); });
}

Task<Result<std::uint64_t>> MemoryStore::live_jobs(std::string_view tenant, std::uint64_t most) {
  return ask<std::uint64_t>([&tables = tables_, of = std::string(tenant), most] {
    return Result<std::uint64_t>(tables.count_live(of, most));
  });
}

}  // namespace millrace
