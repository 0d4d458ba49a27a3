#include "producer/ingress/redrive.h"

#include "producer/ingress/job_eraser.h"
#include "shared/contract/envelope.h"
#include "shared/contract/redriven.h"
#include "shared/runtime/log.h"

namespace millrace {
namespace {

Refusal no_failed_job(const JobId& id) {
  return refuse("job_not_found", "id",
                "There is no job " + id.str() +
                    " that failed; GET /v1/jobs?status=failed lists those there are.");
}

Refusal not_redrivable(const JobId& id, std::string_view why) {
  auto refusal = refuse("not_redrivable", "id",
                        "The work of " + id.str() + " cannot be done again: " + std::string(why) +
                            " Send it as a new job.");
  refusal.final = true;
  return refusal;
}

/// Only asks.
class NoSink final : public ByteSink {
 public:
  Task<Result<>> write(std::string) override { co_return Result<>(); }
};

/// The next try may go otherwise.
bool passes(const Refusal& refusal) {
  return refusal.retry_after.count() > 0;
}

}  // namespace

Task<Redrive::OneSent> Redrive::one(std::string tenant, JobId id) {
  return send(std::move(tenant), id, Id::fresh);
}

Task<Redrive::PageSent> Redrive::unsent(std::string tenant, std::int64_t after) {
  const auto letters = co_await parts_.letters->unsent(tenant, after);
  if (!letters) co_return std::unexpected(store_away());
  Page page;
  std::int64_t done_upto = 0;
  for (const auto& letter : *letters) {
    auto sent = co_await send(tenant, letter.job, Id::derived);
    if (sent) {
      page.sent.push_back(*sent);
    } else if (!passes(sent.error())) {
      ++page.skipped;
    } else if (done_upto == 0) {
      co_return std::unexpected(std::move(sent.error()));
    } else {
      page.next = done_upto;
      co_return page;
    }
    done_upto = letter.number;
  }
  if (letters->size() == DeadLetters::page_max) page.next = done_upto;
  co_return page;
}

Task<Redrive::OneSent> Redrive::send(std::string tenant, JobId id, Id which) {
  const auto row = co_await parts_.store.find(tenant, id);
  if (!row && row.error() != Errc::not_found) co_return std::unexpected(store_away());
  if (!row || row->state != JobState::failed) co_return std::unexpected(no_failed_job(id));
  const auto read = decode_envelope(row->envelope);
  const auto* old = std::get_if<Job>(&read);
  if (!old) co_return std::unexpected(not_redrivable(id, "this version cannot read it."));
  if (is_erased(*old)) co_return std::unexpected(not_redrivable(id, "its words were erased."));
  const bool whole = co_await has_input(*old);
  if (!whole) co_return std::unexpected(not_redrivable(id, "its input is no longer kept."));
  const WallTime now = parts_.clock.wall();
  const JobId as = which == Id::fresh ? new_job_id(now, parts_.random) : redriven_id(*old);
  const auto submitted = co_await parts_.submit.again(redriven(*old, as, now));
  if (!submitted) co_return std::unexpected(submitted.error());
  if (parts_.letters) {
    const auto noted = co_await parts_.letters->note_redriven(tenant, id, as);
    if (!noted) log::warn("redriven_job_not_noted", {{"job", id.str()}, {"as", as.str()}});
  }
  co_return Sent{.from = id, .as = as};
}

/// What cannot be told now the worker finds out.
Task<bool> Redrive::has_input(const Job& job) {
  if (!job.input_ref) co_return true;
  NoSink nowhere;
  const auto info = co_await parts_.objects.get({job.tenant, job.input_ref->key},
                                                {.from = 0, .size = 0}, nowhere);
  co_return info.has_value() || info.error() != Errc::not_found;
}

}  // namespace millrace
