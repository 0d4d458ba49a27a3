#include "shared/sqlite/sqlite_dead_letters.h"

#include <limits>

#include "shared/contract/envelope.h"
#include "shared/contract/redriven.h"
#include "shared/sqlite/caller.h"
#include "shared/sqlite/threads.h"

namespace millrace {
namespace {

using sqlite::Tables;

using Letters = std::vector<DeadLetter>;

}  // namespace

SqliteDeadLetters::SqliteDeadLetters(SqliteStore& store, SqliteJobQueue& queue, Clock& clock,
                                     Random& random)
    : clock_(clock),
      random_(random),
      writes_(store.share_with_queue().writes),
      queue_(queue.port(clock)),
      caller_(std::make_unique<sqlite::Caller>(clock, store.share_with_queue().replies)) {}

SqliteDeadLetters::~SqliteDeadLetters() = default;

Task<Result<std::vector<DeadLetter>>> SqliteDeadLetters::list(std::string tenant,
                                                              std::int64_t before,
                                                              std::size_t limit) {
  const std::int64_t below = before > 0 ? before : std::numeric_limits<std::int64_t>::max();
  return caller_->ask<Letters>(writes_.queue(), 0,
                               [tenant, below, limit = std::min(limit, page_max)](Tables& tables) {
                                 return tables.letters.list(tenant, below, limit);
                               });
}

Task<Result<Job>> SqliteDeadLetters::redrive(std::string tenant, JobId id) {
  const auto letter = co_await caller_->ask<std::optional<DeadLetter>>(
      writes_.queue(), 0, [tenant, id](Tables& tables) { return tables.letters.of(tenant, id); });
  if (!letter) co_return Failure(letter.error());
  if (!*letter) co_return Failure(Errc::not_found);
  const auto read = decode_envelope((*letter)->envelope);
  const auto* old = std::get_if<Job>(&read);
  if (!old) co_return Failure(Errc::invalid);
  const WallTime now = clock_.wall();
  Job job = redriven(*old, new_job_id(now, random_), now);
  const auto sent = co_await send(job, (*letter)->number);
  if (!sent) co_return Failure(sent.error());
  co_return job;
}

Task<Result<DeadLetters::SentPage>> SqliteDeadLetters::redrive_unsent(std::string tenant,
                                                                      std::int64_t after) {
  const auto letters = co_await caller_->ask<Letters>(
      writes_.queue(), 0,
      [tenant, after](Tables& tables) { return tables.letters.unsent(tenant, after, page_max); });
  if (!letters) co_return Failure(letters.error());
  SentPage page;
  if (letters->size() == page_max) page.next = letters->back().number;
  for (const auto& letter : *letters) {
    const auto read = decode_envelope(letter.envelope);
    const auto* old = std::get_if<Job>(&read);
    if (!old) {
      ++page.skipped;
      continue;
    }
    Job job = redriven(*old, redriven_id(*old), clock_.wall());
    const Sent as{.from = old->id, .as = job.id};
    const auto sent = co_await send(std::move(job), letter.number);
    if (!sent) co_return Failure(sent.error());
    page.sent.push_back(as);
  }
  co_return page;
}

Task<Result<>> SqliteDeadLetters::send(Job job, std::int64_t number) {
  const auto queued = co_await queue_->enqueue(job);
  if (!queued) co_return queued;
  co_return co_await caller_->ask<void>(writes_.queue(), 0,
                                        [number, as = job.id](Tables& tables) -> Result<> {
                                          return tables.letters.set_redriven(number, as);
                                        });
}

}  // namespace millrace
