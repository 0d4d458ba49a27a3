#include "producer/ingress/job_eraser.h"

#include <algorithm>

#include "shared/contract/envelope.h"
#include "shared/job_json.h"
#include "shared/runtime/log.h"
#include "shared/runtime/nursery.h"

namespace millrace {
namespace {

/// In the place of what was asked for.
constexpr std::string_view erased_mark = R"({"deleted":true})";
/// Jobs read and erased at once; each may have 8 MiB of words.
constexpr std::uint32_t jobs_at_once = 20;
/// Whoever ends a job tells the Store first and the log right after.
constexpr Duration log_told_within = 2s;
constexpr Duration log_look_every = 50ms;
constexpr Duration look_every_max = 30s;

Job without_words(const Job& job) {
  Job left = job;
  left.input = unknown_input;
  left.input_ref.reset();
  left.params.clear();
  left.metadata.clear();
  left.request = erased_mark;
  left.envelope = encode_envelope(left);
  return left;
}

}  // namespace

bool is_erased(const Job& job) {
  return job.request == erased_mark;
}

/// The Store last: what it still names can be erased again.
Task<std::optional<Refusal>> JobEraser::erase(StoredJob ended) {
  const Job job = job_of(ended);
  const Instant give_up = parts_.clock.now() + log_told_within;
  auto forgotten = co_await parts_.log.forget(job.id);
  while (!forgotten && forgotten.error() == Errc::conflict && parts_.clock.now() < give_up) {
    co_await parts_.clock.sleep_for(log_look_every);
    forgotten = co_await parts_.log.forget(job.id);
  }
  if (!forgotten) co_return log_away();
  if (job.input_ref) {
    const auto removed = co_await parts_.objects.remove({job.tenant, job.input_ref->key});
    if (!removed)
      log::warn("erased_input_not_removed",
                {{"job", job.id.str()}, {"error", to_string(removed.error())}});
  }
  const Job left = without_words(job);
  const auto redacted = co_await parts_.store.redact(left);
  if (redacted) co_return std::nullopt;
  co_return redacted.error() == Errc::full ? storage_full() : store_away();
}

Task<> JobEraser::erase_one(StoredJob job) {
  const auto kept = co_await erase(std::move(job));
  if (kept) log::warn("job_not_erased", {{"detail", kept->problem.detail}});
}

Task<> JobEraser::erase_turn(StoredJob job) {
  const Job accepted = job_of(job);
  if (!accepted.context || is_erased(accepted)) co_return;
  if (!terminal(job.state)) {
    auto ended = co_await parts_.cancel.cancel(job.tenant, job.id);
    if (!ended) co_return;
    job = std::move(*ended);
  }
  co_await erase_one(std::move(job));
}

Task<> JobEraser::erase_turns(std::string tenant, std::string session) {
  JobFilter filter;
  filter.tenant = std::move(tenant);
  filter.session = std::move(session);
  filter.limit = jobs_at_once;
  for (;;) {
    auto jobs = co_await parts_.store.list(filter);
    if (!jobs || jobs->empty()) co_return;
    filter.after = jobs->back().id;
    const bool last = jobs->size() < jobs_at_once;
    Nursery nursery(parts_.clock);
    for (auto& job : *jobs) nursery.start(erase_turn(std::move(job)));
    co_await nursery.join();
    if (last) co_return;
  }
}

Task<std::size_t> JobEraser::erase_unkept() {
  const auto before =
      parts_.clock.wall() - std::chrono::ceil<std::chrono::milliseconds>(parts_.unkept_for);
  auto jobs = co_await parts_.store.unkept(before, jobs_at_once);
  if (!jobs) co_return 0;
  const std::size_t found = jobs->size();
  Nursery nursery(parts_.clock);
  for (auto& job : *jobs) nursery.start(erase_one(std::move(job)));
  co_await nursery.join();
  co_return found;
}

/// Between full batches others have their turn, and one that cannot be erased is not tried at once.
Task<> JobEraser::run() {
  constexpr Duration pause = 1s;
  const Duration look_every = std::clamp<Duration>(parts_.unkept_for / 4, pause, look_every_max);
  for (;;) {
    const std::size_t found = co_await erase_unkept();
    co_await parts_.clock.sleep_for(found == jobs_at_once ? pause : look_every);
  }
}

}  // namespace millrace
