#include "producer/openai/answering.h"

#include "producer/ingress/limits.h"
#include "producer/ingress/request_headers.h"
#include "producer/openai/chat_failure.h"
#include "producer/openai/error_shape.h"
#include "producer/relay/outlet.h"
#include "shared/runtime/log.h"

namespace millrace::openai {

std::expected<std::string, Refusal> heard_key(const http::Request& request) {
  if (auto refusal = unheard(request)) return std::unexpected(std::move(*refusal));
  if (auto refusal = not_json(request)) return std::unexpected(std::move(*refusal));
  return idempotency_key(request);
}

void describe(http::Response& response, const AwaitedJob& job) {
  response.headers.emplace_back("X-Millrace-Job", job.id.str());
  if (job.attached) response.headers.emplace_back("Idempotent-Replayed", "true");
}

http::Response failed(const Problem& problem) {
  http::Response response = error_response(problem);
  forbid_retry(response);
  return response;
}

http::Response unreadable(const Refusal& why, bool keyed) {
  http::Response response = error_response(why);
  if (!keyed) forbid_retry(response);
  return response;
}

Refusal unknown_yet() {
  return refuse_for_now("log_unavailable", "",
                        "The request was accepted, but its answer cannot be read now. With an "
                        "Idempotency-Key it can be asked for again.",
                        ingress_limits::retry_after_outage);
}

Task<Submitted> Answering::submit(Job job, std::string key, std::string print) {
  if (key.empty()) co_return co_await parts_.submit.fresh(std::move(job));
  co_return co_await parts_.submit.keyed(std::move(job), std::move(key), std::move(print));
}

Task<std::expected<StoredJob, http::Response>> Answering::ended_job(http::Request& request,
                                                                    AwaitedJob awaited) {
  const Instant deadline = parts_.clock.now() + whole_answer_wait_max;
  std::optional<Asker> asker;
  if (auto* peer = request.asker) asker.emplace(peer->watch(), [peer] { return peer->gone(); });
  auto job = co_await parts_.lookup.find_ended(awaited.tenant, awaited.id, deadline,
                                               asker ? &*asker : nullptr);
  if (job && terminal(job->state) && job->outcome) co_return std::move(*job);
  // The log or the Store is away, the client has left, or it took too long.
  const bool in_time = parts_.clock.now() < deadline;
  if (job) left(awaited);
  if (job && !in_time) co_return std::unexpected(failed(answer_too_late()));
  co_return std::unexpected(unreadable(job ? unknown_yet() : job.error(), awaited.keyed));
}

Task<std::unique_ptr<relay::Seat>> Answering::seat_of(JobId id, const http::WaitingPeer* peer,
                                                      Signal& wake) {
  const Instant deadline = parts_.clock.now() + seat_wait_max;
  while (!(peer && peer->gone())) {
    auto seat = co_await parts_.hub.open(id, 0);
    if (seat) co_return std::move(*seat);
    if (parts_.clock.now() >= deadline) break;
    (void)co_await wake.wait_until(parts_.clock.now() + relay::hub_tick);
  }
  co_return nullptr;
}

Task<> Answering::stream_to_end(Reading& reading, http::StreamWriter& writer) {
  relay::Outlet out(writer, parts_.clock, parts_.hub.metrics(), relay::Outlet::Retry::untold);
  const Listening listening(reading, out.wake());
  for (;;) {
    if (!reading.unsent().empty()) {
      const bool sent = co_await out.send(reading.unsent(), reading.take_count());
      if (!sent) co_return;
      reading.unsent().clear();
    }
    if (reading.fold().over()) co_return;
    const auto went = co_await reading.take_next();
    if (went == Reading::Went::over) co_return;
    if (went == Reading::Went::on) continue;
    const bool away = went == Reading::Went::away;
    const bool there =
        co_await out.rest(away ? parts_.clock.now() + relay::hub_tick : Instant::max());
    if (!there) co_return;
  }
}

/// A request that has a key can be sent again, and gets the answer then.
void Answering::left(const AwaitedJob& job) {
  const bool unsaid = job.on_leave == OnLeave::unsaid;
  if (job.on_leave == OnLeave::cancel || (unsaid && !job.keyed))
    leaving_.start(cancel(job.tenant, job.id));
}

Task<> Answering::cancel(std::string tenant, JobId id) {
  const auto job = co_await parts_.cancel.cancel(tenant, id);
  if (!job)
    log::warn("abandoned_answer_not_cancelled",
              {{"job", id.str()}, {"code", job.error().problem.code}});
}

}  // namespace millrace::openai
