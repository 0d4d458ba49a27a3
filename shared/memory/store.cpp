#include "shared/memory/store.h"

namespace millrace {

Result<> MemoryStore::note_accepted(const Job& job, std::string_view fingerprint) {
  if (!link_.up()) return Failure(Errc::overloaded);
  link_.tell([&tables = tables_, job, print = std::string(fingerprint)] {
    tables.note(job, print);
  });
  return {};
}

Task<Result<BegunJob>> MemoryStore::begin(const Job& job, std::uint32_t attempt) {
  co_return co_await ask<BegunJob>([&tables = tables_, job, attempt] {
    return Result<BegunJob>(tables.begin(job, attempt));
  });
}

Task<Result<>> MemoryStore::save_step(const JobId& id, const Step& step) {
  auto saved = std::make_shared<Result<>>();
  const auto came = co_await link_.call(
      [&tables = tables_, id, step, saved] { *saved = tables.save_step(id, step); },
      clock_.now() + limits::store_timeout);
  if (!came) co_return came;
  co_return *saved;
}

Task<Result<Finished>> MemoryStore::finish(const Job& job, const Outcome& outcome,
                                           const Step* step) {
  auto there = [&tables = tables_, job, outcome,
                last = step ? std::optional(*step) : std::nullopt] {
    return Result<Finished>(tables.finish(job, outcome, last ? &*last : nullptr));
  };
  if (bugs_.finish_is_late) {
    co_await clock_.sleep_for(1ms);
    link_.tell([there] { (void)there(); });
    co_return Finished{.first = true, .outcome = outcome};
  }
  co_return co_await ask<Finished>(std::move(there));
}

Task<Result<StoredJob>> MemoryStore::want_cancel(std::string_view tenant, const JobId& id) {
  co_return co_await ask<StoredJob>(
      [&tables = tables_, of = std::string(tenant), id] { return tables.want_cancel(of, id); });
}

Task<Result<StoredJob>> MemoryStore::find(std::string_view tenant, const JobId& id) {
  co_return co_await ask<StoredJob>(
      [&tables = tables_, of = std::string(tenant), id] { return tables.find(of, id); });
}

Task<Result<std::vector<StoredJob>>> MemoryStore::list(const JobFilter& filter) {
  co_return co_await ask<std::vector<StoredJob>>(
      [&tables = tables_, filter] { return tables.list(filter); });
}

}  // namespace millrace
