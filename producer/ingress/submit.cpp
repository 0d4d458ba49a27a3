#include "producer/ingress/submit.h"

#include <boost/asio/this_coro.hpp>

#include "producer/ingress/job_view.h"
#include "producer/ingress/limits.h"
#include "shared/contract/envelope.h"
#include "shared/contract/event.h"
#include "shared/runtime/log.h"

namespace millrace {
namespace {

/// Of what has no body: its id tells it from another.
constexpr std::string_view again_fingerprint = "again";

Refusal overloaded() {
  return refuse_for_now("overloaded", "",
                        "More jobs arrive than can be queued; nothing was kept of this one. Try "
                        "again after the time in Retry-After.",
                        ingress_limits::retry_after_overload);
}

Refusal session_full(const std::string& session) {
  return refuse_for_now("session_full", "/session",
                        "The session " + quoted(session) + " has " +
                            std::to_string(limits::session_jobs_max) +
                            " jobs that have not ended, which is the most allowed. Wait for some "
                            "to end, cancel some, or use another session.",
                        ingress_limits::retry_after_full_session);
}

Refusal session_busy(const std::string& session) {
  auto refusal = refuse("session_busy", "/session",
                        "The session " + quoted(session) +
                            " has a job that has not ended, and `on_busy` is \"reject\"; nothing "
                            "was kept of this one. Send it when that has ended, or with another "
                            "`on_busy`: \"enqueue\", \"interrupt\", \"rollback\".");
  refusal.final = true;
  return refusal;
}

Refusal key_reused() {
  return refuse("idempotency_key_reused", "Idempotency-Key",
                "This key was used with another body. Send the same body to get its job, or a new "
                "key for a new job.");
}

Refusal key_unknown(Errc error) {
  if (error == Errc::full) return storage_full();
  return refuse_for_now("store_unavailable", "",
                        "Whether this Idempotency-Key was used before cannot be looked up now. "
                        "Try again after the time in Retry-After.",
                        ingress_limits::retry_after_outage);
}

Refusal not_recorded(Errc error) {
  if (error == Errc::full) return storage_full();
  return refuse_for_now("log_unavailable", "",
                        "The event log takes nothing now, so no job could run; nothing was kept of "
                        "this one. Try again after the time in Retry-After.",
                        ingress_limits::retry_after_outage);
}

Refusal not_queued(Errc error, const JobId& id) {
  if (error == Errc::overloaded) return overloaded();
  if (error == Errc::full) return storage_full();
  if (error != Errc::timed_out)
    return refuse_for_now("queue_unavailable", "",
                          "The job was not queued; nothing was kept of it. Try again after the "
                          "time in Retry-After.",
                          ingress_limits::retry_after_outage);
  auto refusal = refuse_for_now("outcome_unknown", "",
                                "The queue did not answer in time: the job named by `id` may run. "
                                "Look at it before sending it again, or send an Idempotency-Key.",
                                ingress_limits::retry_after_outage);
  refusal.id = id;
  return refusal;
}

Refusal input_not_kept(Errc error) {
  if (error == Errc::full) return storage_full();
  return refuse_for_now("objects_unavailable", "/input",
                        "An input above " + std::to_string(limits::input_bytes_max) +
                            " bytes of JSON (256 KiB) is kept in the object store, which is away "
                            "now; nothing was kept of this job. Try again after the time "
                            "in Retry-After, or send less.",
                        ingress_limits::retry_after_outage);
}

Receipt receipt(const Job& job) {
  return {.id = job.id, .session = job.session, .created_at = job.created_at};
}

/// Makes the job what it was when the standing record was made.
void set_accepted_at(Job& job, WallTime created_at) {
  job.deadline = created_at + (job.deadline - job.created_at);
  job.created_at = created_at;
}

/// A row that a worker made knows no fingerprint; then the envelopes decide. One that a cancel made
/// of the log's record alone has neither, and the key stands for the request.
bool same_request(Job job, const std::optional<OversizeInput>& input,
                  const std::string& fingerprint, const StoredJob& row) {
  if (!row.fingerprint.empty()) return row.fingerprint == fingerprint;
  const auto standing = decode_envelope(row.envelope);
  if (const auto* first = std::get_if<Job>(&standing)) {
    if (first->input == unknown_input && !first->input_ref) return true;
    job.traceparent = first->traceparent;
    if (input && first->input_ref && input->is(*first->input_ref)) job.input_ref = first->input_ref;
  }
  set_accepted_at(job, row.created_at);
  return encode_envelope(job) == row.envelope;
}

/// What the session says to the job: it has no room, or not for one that wants it idle.
std::optional<Refusal> refused_by_session(const Result<Accepted>& said, const Job& job) {
  if (said) return std::nullopt;
  if (said.error() == Errc::overloaded) return session_full(job.session);
  if (said.error() == Errc::conflict) return session_busy(job.session);
  return std::nullopt;
}

/// Only the log knows what else lives in the session.
bool needs_log(const Job& job) {
  return !job.session.empty() && job.on_busy != "enqueue";
}

}  // namespace

struct Submit::Draft {
  Job job;
  std::optional<OversizeInput> input;
  bool written = false;  ///< its envelope stays as it is, and its id says what it is
  std::optional<TenantQuota::Place> place{};
};

struct Submit::Record {
  explicit Record(Clock& clock) : ended(clock) {}
  Signal ended;
  std::optional<Result<Accepted>> said;
};

struct Submit::Place {
  explicit Place(std::size_t& count) : taken(count) { ++taken; }
  ~Place() { --taken; }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  bool within_limit() const { return taken <= ingress_limits::accepts_at_once_max; }
  std::size_t& taken;
};

std::optional<Refusal> Submit::refused_at_once(const Job& job, const Place& place) const {
  if (parts_.keeps && !parts_.keeps()) return nothing_kept();
  if (!place.within_limit() || !inputs_.has_room_for(job)) return overloaded();
  return std::nullopt;
}

Task<Submitted> Submit::fresh(Job job) {
  const Instant began = parts_.clock.now();
  const Place place(on_their_way_);
  if (auto refusal = refused_at_once(job, place))
    co_return count(std::unexpected(std::move(*refusal)), began);
  Draft draft{std::move(job), {}};
  inputs_.take(draft.job, draft.input);
  draft.job.id = new_job_id(draft.job.created_at, parts_.random);
  // What may be queued is seen through, even for a client that has left.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  auto submitted = co_await run_fresh(draft);
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  co_return count(std::move(submitted), began);
}

Task<Submitted> Submit::keyed(Job job, std::string key, std::string fingerprint) {
  const Instant began = parts_.clock.now();
  const Place place(on_their_way_);
  if (auto refusal = refused_at_once(job, place))
    co_return count(std::unexpected(std::move(*refusal)), began);
  Draft draft{std::move(job), {}};
  inputs_.take(draft.job, draft.input);
  draft.job.id = derived_job_id(draft.job.tenant, key);
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  auto submitted = co_await run_keyed(draft, fingerprint);
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  co_return count(std::move(submitted), began);
}

Task<Submitted> Submit::again(Job job) {
  const Instant began = parts_.clock.now();
  const Place place(on_their_way_);
  if (auto refusal = refused_at_once(job, place))
    co_return count(std::unexpected(std::move(*refusal)), began);
  job.on_busy = "enqueue";
  Draft draft{.job = std::move(job), .input = {}, .written = true};
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  const std::string fingerprint(again_fingerprint);
  auto submitted = co_await run_keyed(draft, fingerprint);
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  co_return count(std::move(submitted), began);
}

/// The tenant may have one more job.
Task<Submit::Queued> Submit::enter(Draft& draft) {
  if (!parts_.quota) co_return Queued();
  auto place = co_await parts_.quota->enter(draft.job.tenant);
  if (!place) co_return std::unexpected(std::move(place.error()));
  draft.place.emplace(std::move(*place));
  co_return Queued();
}

Task<Submitted> Submit::run_fresh(Draft& draft) {
  const Job& job = draft.job;
  auto entered = co_await enter(draft);
  if (!entered) co_return std::unexpected(std::move(entered.error()));
  Record standing(parts_.clock);
  nursery_.start(record(job, queued_line(job), standing));
  // Only the record knows whether the session has room.
  if (!job.session.empty() || parts_.log_needed) {
    while (!standing.said) co_await standing.ended.wait();
    if (auto refusal = refused_by_session(*standing.said, job))
      co_return std::unexpected(std::move(*refusal));
    if ((parts_.log_needed || needs_log(job)) && !*standing.said)
      co_return std::unexpected(not_recorded(standing.said->error()));
    auto way = co_await make_way(job);
    if (!way)
      co_return co_await settle(draft, {}, std::move(way), {.recorded = true, .withdraw = true});
  }
  auto queued = co_await enqueue(draft);
  while (!standing.said) co_await standing.ended.wait();
  const bool recorded = standing.said->has_value();
  co_return co_await settle(draft, {}, std::move(queued), {.recorded = recorded, .withdraw = true});
}

Task<Submitted> Submit::run_keyed(Draft& draft, const std::string& fingerprint) {
  const Job& job = draft.job;
  // The Store first: it remembers what the log may have lost.
  const auto row = co_await parts_.store.find(job.tenant, job.id);
  if (row) {
    if (!draft.written && !same_request(job, draft.input, fingerprint, *row))
      co_return std::unexpected(key_reused());
    co_return Receipt{row->id, row->session, row->created_at, row->state, true};
  }
  if (row.error() != Errc::not_found) co_return std::unexpected(key_unknown(row.error()));

  const auto standing = co_await parts_.log.accept(job, fingerprint, queued_line(job));
  if (auto refusal = refused_by_session(standing, job))
    co_return std::unexpected(std::move(*refusal));
  if (standing && !standing->fresh) co_return co_await join_record(draft, fingerprint, *standing);
  if ((parts_.log_needed || needs_log(job)) && !standing)
    co_return std::unexpected(not_recorded(standing.error()));
  // Who finds a job that stands needs no room for it.
  auto entered = co_await enter(draft);
  if (!entered)
    co_return co_await settle(draft, fingerprint, std::move(entered),
                              {.recorded = standing.has_value(), .withdraw = true});
  auto way = co_await make_way(job);
  if (!way)
    co_return co_await settle(draft, fingerprint, std::move(way),
                              {.recorded = true, .withdraw = true});
  // Without the log the same id may be queued twice; whoever begins the second drops it.
  auto queued = co_await enqueue(draft);
  co_return co_await settle(draft, fingerprint, std::move(queued),
                            {.recorded = standing.has_value(), .withdraw = true});
}

Task<Submitted> Submit::join_record(Draft& draft, const std::string& fingerprint,
                                    const Accepted& standing) {
  // A record made anew by a worker knows no fingerprint.
  if (!draft.written && !standing.fingerprint.empty() && standing.fingerprint != fingerprint)
    co_return std::unexpected(key_reused());
  Job& job = draft.job;
  const auto states = co_await parts_.log.states(std::span(&job.id, 1));
  if (!draft.written && states && states->front())
    set_accepted_at(job, states->front()->created_at);
  if (standing.acknowledged || standing.state != JobState::queued)
    co_return Receipt{job.id, job.session, job.created_at, standing.state, true};
  // Nobody knows whether the first try was queued: the same job goes under the same id, and the
  // record stays whatever comes of it, for it is not ours.
  auto queued = co_await enqueue(draft);
  co_return co_await settle(draft, fingerprint, std::move(queued),
                            {.recorded = true, .withdraw = false});
}

/// A large input first, then the job, which names it.
Task<Submit::Queued> Submit::enqueue(Draft& draft) {
  Job& job = draft.job;
  if (draft.input) {
    const auto kept = co_await inputs_.keep(*draft.input, job);
    if (!kept) {
      log::warn("input_not_kept", {{"job", job.id.str()}, {"error", to_string(kept.error())}});
      co_return std::unexpected(input_not_kept(kept.error()));
    }
    draft.input.reset();
  }
  if (!draft.written) job.envelope = encode_envelope(job);
  const auto queued = co_await parts_.queue.enqueue(job);
  if (queued) co_return Queued();
  if (job.input_ref && queued.error() != Errc::timed_out) co_await inputs_.drop(job);
  co_return std::unexpected(not_queued(queued.error(), job.id));
}

Task<Submitted> Submit::settle(Draft& draft, std::string_view fingerprint, Queued queued,
                               Standing stood) {
  const Job& job = draft.job;
  if (queued) {
    if (!fingerprint.empty()) parts_.log.acknowledge(job);
    const auto noted = parts_.store.note_accepted(job, fingerprint);
    if (!noted) log::warn("accepted_job_not_noted", {{"job", job.id.str()}});
    if (draft.place) draft.place->noted();
    if (noted && !stood.recorded) co_await until_noted(job);
    co_return receipt(job);
  }
  if (!queued.error().id && stood.withdraw) {
    const auto withdrawn = co_await parts_.log.withdraw(job);
    if (!withdrawn) log::warn("refused_job_not_withdrawn", {{"job", job.id.str()}});
  }
  co_return std::unexpected(std::move(queued.error()));
}

/// Of a job that stands in the log and is not queued yet.
Task<Submit::Queued> Submit::make_way(const Job& job) {
  if (job.session.empty() || !Interrupt::wanted(job)) co_return Queued();
  auto refusal = co_await parts_.interrupt.make_way(job);
  if (refusal) co_return std::unexpected(std::move(*refusal));
  co_return Queued();
}

/// With no record in the log the row is all that knows the job: whoever asks right after the
/// 202 must find it.
Task<> Submit::until_noted(const Job& job) {
  const Instant give_up = parts_.clock.now() + ingress_limits::note_wait_max;
  while (parts_.clock.now() < give_up) {
    const auto row = co_await parts_.store.find(job.tenant, job.id);
    if (row || row.error() != Errc::not_found) co_return;
    co_await parts_.clock.sleep_for(ingress_limits::note_look_every);
  }
}

Task<> Submit::record(const Job& job, std::string queued_line, Record& into) {
  Result<Accepted> said = Failure(Errc::unavailable);
  try {
    said = co_await parts_.log.accept(job, {}, queued_line);
  } catch (const std::exception&) {
    // Cancelled while the process ends: whoever waits for the record must hear of it.
  }
  into.said = std::move(said);
  into.ended.notify();
}

std::string Submit::queued_line(const Job& job) const {
  const auto lag = parts_.queue.lag(job);
  const bool paced = lag && lag->finished_per_s > 0;
  std::string line;
  EventWriter(job.id, job.created_at)
      .queued(line, {.seq = 1, .now = job.created_at}, lag ? lag->waiting : -1,
              paced ? static_cast<double>(lag->waiting) / lag->finished_per_s : -1);
  return line;
}

Submitted Submit::count(Submitted submitted, Instant began) {
  if (!submitted)
    parts_.metrics.refused(submitted.error().problem.code);
  else if (submitted->attached)
    parts_.metrics.attached();
  else
    parts_.metrics.accepted(parts_.clock.now() - began);
  return submitted;
}

}  // namespace millrace
