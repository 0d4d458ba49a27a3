#include "producer/openai/chat_routes.h"

#include <algorithm>

#include "producer/ingress/limits.h"
#include "producer/ingress/request_headers.h"
#include "producer/openai/chat_completion.h"
#include "producer/openai/chat_failure.h"
#include "producer/openai/error_shape.h"
#include "producer/relay/outlet.h"
#include "shared/runtime/log.h"

namespace millrace::openai {
namespace {

void describe(http::Response& response, const JobId& id, bool attached) {
  response.headers.emplace_back("X-Millrace-Job", id.str());
  if (attached) response.headers.emplace_back("Idempotent-Replayed", "true");
}

/// Of a job that was accepted: what could be tried again has been.
http::Response failed(const Problem& problem) {
  http::Response response = error_response(problem);
  forbid_retry(response);
  return response;
}

Refusal one_object() {
  return refuse("unsupported_media_type", "Content-Type",
                "Content-Type must be application/json, in UTF-8.");
}

/// Of a job that may have run: sent again without a key it would be paid for twice.
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

/// Lets the reading wake this signal, no longer than it is waited for.
class Listening {
 public:
  Listening(ChatReading& reading, Signal& signal) : reading_(reading) {
    reading_.wake_with(&signal);
  }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;
  ~Listening() { reading_.wake_with(nullptr); }

 private:
  ChatReading& reading_;
};

}  // namespace

void ChatRoutes::add_to(http::Router& router) {
  router.add(http::Method::post, "/v1/chat/completions",
             [this](http::Request& request) { return complete(request); });
}

http::Response ChatRoutes::refused(const Refusal& refusal) const {
  parts_.metrics.refused(refusal.problem.code);
  return error_response(refusal);
}

Task<http::Response> ChatRoutes::complete(http::Request& request) {
  if (const auto refusal = unheard(request)) co_return refused(*refusal);
  const auto form = body_form(request);
  const bool encoded = !form && form.error().problem.field == "Content-Encoding";
  if (encoded) co_return refused(form.error());
  if (!form || *form != BodyForm::one_job) co_return refused(one_object());
  auto key = idempotency_key(request);
  if (!key) co_return refused(key.error());
  auto asked = parse_chat_request(request.body, parts_.clock.wall());
  if (!asked) co_return refused(Refusal{std::move(asked.error()), {}, {}});

  asked->job.tenant = request.tenant;
  asked->job.traceparent = traceparent(request);
  const bool keyed = !key->empty();
  Chat chat{.tenant = request.tenant,
            .head = {.id = {},
                     .created_at = {},
                     .model = asked->job.model,
                     .include_usage = asked->include_usage},
            .keyed = keyed,
            .on_leave = asked->on_leave};
  const auto print = keyed ? fingerprint(request.body) : std::string();
  std::string().swap(request.body);  // while the job waits, its input is held once
  Submitted submitted;
  if (keyed)
    submitted = co_await parts_.submit.keyed(std::move(asked->job), std::move(*key), print);
  else
    submitted = co_await parts_.submit.fresh(std::move(asked->job));
  if (!submitted) co_return error_response(submitted.error());

  chat.head.id = submitted->id;
  chat.head.created_at = submitted->created_at;
  chat.attached = submitted->attached;
  if (asked->stream) co_return co_await streamed_answer(request, std::move(chat));
  co_return co_await whole_answer(request, std::move(chat));
}

// --- in one piece

Task<http::Response> ChatRoutes::whole_answer(http::Request& request, Chat chat) {
  const Instant deadline = parts_.clock.now() + whole_answer_wait_max;
  std::optional<Asker> asker;
  if (auto* peer = request.asker) asker.emplace(peer->watch(), [peer] { return peer->gone(); });
  const auto job = co_await parts_.lookup.find_ended(request.tenant, chat.head.id, deadline,
                                                     asker ? &*asker : nullptr);
  const bool ended = job && terminal(job->state) && job->outcome;
  http::Response response;
  if (ended && job->state == JobState::succeeded) {
    response.body = completion_json(job->id, job->created_at, *job->outcome);
  } else if (ended) {
    response = failed(failure_of(*job->outcome));
  } else {
    // The log or the Store is away, the client has left, or it took too long.
    const bool in_time = parts_.clock.now() < deadline;
    if (job) left(chat);
    if (job && !in_time)
      response = failed(answer_too_late());
    else
      response = unreadable(job ? unknown_yet() : job.error(), chat.keyed);
  }
  describe(response, chat.head.id, chat.attached);
  co_return response;
}

// --- as a stream

/// The place of a reader of the log; null when the client leaves, or nobody comes to know the job.
Task<std::unique_ptr<relay::Seat>> ChatRoutes::seat_of(JobId id, const http::WaitingPeer* peer,
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

/// Until there is something to send, the answer has failed, or it has been long enough.
Task<> ChatRoutes::until_first_word(ChatReading& reading, const http::WaitingPeer* peer,
                                    Signal& wake) {
  const Listening listening(reading, wake);
  const Instant deadline = parts_.clock.now() + first_word_wait_max;
  while (reading.unsent().empty() && parts_.clock.now() < deadline && !(peer && peer->gone())) {
    const auto went = co_await reading.take_next();
    if (went == ChatReading::Went::over) co_return;
    if (went == ChatReading::Went::on) continue;
    const Instant again = parts_.clock.now() + relay::hub_tick;
    const bool away = went == ChatReading::Went::away;
    (void)co_await wake.wait_until(away ? std::min(again, deadline) : deadline);
  }
}

Task<http::Response> ChatRoutes::streamed_answer(http::Request& request, Chat chat) {
  const http::WaitingPeer* peer = request.asker;
  Signal own(parts_.clock);
  Signal& wake = request.asker ? request.asker->watch() : own;
  auto seat = co_await seat_of(chat.head.id, peer, wake);
  if (!seat) {
    left(chat);
    auto response = unreadable(unknown_yet(), chat.keyed);
    describe(response, chat.head.id, chat.attached);
    co_return response;
  }
  auto reading = std::make_shared<ChatReading>(parts_.hub, std::move(seat), chat.head);
  co_await until_first_word(*reading, peer, wake);
  http::Response response;
  const ChatFold& fold = reading->fold();
  if (fold.failure() && !fold.spoken()) {
    if (!fold.job_ended()) left(chat);
    response = failed(*fold.failure());
  } else if (peer && peer->gone()) {
    left(chat);
  } else {
    response.content_type = "text/event-stream";
    response.stream = [this, reading, chat](http::StreamWriter& writer) {
      return stream(reading, chat, writer);
    };
  }
  describe(response, chat.head.id, chat.attached);
  co_return response;
}

Task<> ChatRoutes::stream(std::shared_ptr<ChatReading> reading, Chat chat,
                          http::StreamWriter& writer) {
  co_await stream_to_end(*reading, writer);
  // The client has left, or was told to ask again. A server that goes down has left its clients,
  // not they it.
  if (!reading->fold().job_ended() && !writer.draining()) left(chat);
}

/// Or to where the client has left, or does not read.
Task<> ChatRoutes::stream_to_end(ChatReading& reading, http::StreamWriter& writer) {
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
    if (went == ChatReading::Went::over) co_return;
    if (went == ChatReading::Went::on) continue;
    const bool away = went == ChatReading::Went::away;
    const bool there =
        co_await out.rest(away ? parts_.clock.now() + relay::hub_tick : Instant::max());
    if (!there) co_return;
  }
}

// --- whoever leaves

/// A request that has a key can be sent again, and gets the answer then.
void ChatRoutes::left(const Chat& chat) {
  const bool unsaid = chat.on_leave == OnLeave::unsaid;
  if (chat.on_leave == OnLeave::cancel || (unsaid && !chat.keyed))
    leaving_.start(cancel(chat.tenant, chat.head.id));
}

Task<> ChatRoutes::cancel(std::string tenant, JobId id) {
  const auto job = co_await parts_.cancel.cancel(tenant, id);
  if (!job)
    log::warn("abandoned_chat_not_cancelled",
              {{"job", id.str()}, {"code", job.error().problem.code}});
}

}  // namespace millrace::openai
