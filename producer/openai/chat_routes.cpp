#include "producer/openai/chat_routes.h"

#include <algorithm>

#include "producer/ingress/request_headers.h"
#include "producer/openai/chat_completion.h"
#include "producer/openai/chat_failure.h"
#include "producer/openai/error_shape.h"

namespace millrace::openai {

void ChatRoutes::add_to(http::Router& router) {
  router.add(http::Method::post, "/v1/chat/completions",
             [this](http::Request& request) { return complete(request); });
}

http::Response ChatRoutes::refused(const Refusal& refusal) const {
  parts_.metrics.refused(refusal.problem.code);
  return error_response(refusal);
}

Task<http::Response> ChatRoutes::complete(http::Request& request) {
  auto key = heard_key(request);
  if (!key) co_return refused(key.error());
  auto asked = parse_chat_request(request.body, parts_.clock.wall());
  if (!asked) co_return refused(Refusal{std::move(asked.error()), {}, {}});

  asked->job.tenant = request.tenant;
  asked->job.traceparent = traceparent(request);
  const bool keyed = !key->empty();
  Chat chat{
      .head = {.id = {},
               .created_at = {},
               .model = asked->job.model,
               .include_usage = asked->include_usage},
      .job = {.tenant = request.tenant, .id = {}, .keyed = keyed, .on_leave = asked->on_leave}};
  auto print = keyed ? fingerprint(request.body) : std::string();
  std::string().swap(request.body);  // while the job waits, its input is held once
  auto submitted =
      co_await answering_.submit(std::move(asked->job), std::move(*key), std::move(print));
  if (!submitted) {
    std::string& field = submitted.error().problem.field;
    if (field == "/input") field = "messages";  // the job's input is what the request calls so
    co_return error_response(submitted.error());
  }

  chat.head.id = chat.job.id = submitted->id;
  chat.head.created_at = submitted->created_at;
  chat.job.attached = submitted->attached;
  if (asked->stream) co_return co_await streamed_answer(request, std::move(chat));
  co_return co_await whole_answer(request, std::move(chat));
}

// --- in one piece

Task<http::Response> ChatRoutes::whole_answer(http::Request& request, Chat chat) {
  auto job = co_await answering_.ended_job(request, chat.job);
  http::Response response;
  if (!job)
    response = std::move(job.error());
  else if (job->state == JobState::succeeded)
    response.body = completion_json(job->id, job->created_at, *job->outcome);
  else
    response = failed(failure_of(*job->outcome));
  describe(response, chat.job);
  co_return response;
}

// --- as a stream

/// Until there is something to send, the answer has failed, or it has been long enough.
Task<> ChatRoutes::until_first_word(Reading& reading, const http::WaitingPeer* peer, Signal& wake) {
  const Listening listening(reading, wake);
  const Instant deadline = parts_.clock.now() + first_word_wait_max;
  while (reading.unsent().empty() && parts_.clock.now() < deadline && !(peer && peer->gone())) {
    const auto went = co_await reading.take_next();
    if (went == Reading::Went::over) co_return;
    if (went == Reading::Went::on) continue;
    const Instant again = parts_.clock.now() + relay::hub_tick;
    const bool away = went == Reading::Went::away;
    (void)co_await wake.wait_until(away ? std::min(again, deadline) : deadline);
  }
}

Task<http::Response> ChatRoutes::streamed_answer(http::Request& request, Chat chat) {
  const http::WaitingPeer* peer = request.asker;
  Signal own(parts_.clock);
  Signal& wake = request.asker ? request.asker->watch() : own;
  auto seat = co_await answering_.seat_of(chat.job.id, peer, wake);
  if (!seat) {
    answering_.left(chat.job);
    auto response = unreadable(unknown_yet(), chat.job.keyed);
    describe(response, chat.job);
    co_return response;
  }
  auto folding = std::make_unique<ChatFold>(chat.head);
  const ChatFold& fold = *folding;
  auto reading = std::make_shared<Reading>(parts_.hub, std::move(seat), std::move(folding));
  co_await until_first_word(*reading, peer, wake);
  http::Response response;
  if (fold.failure() && !fold.spoken()) {
    if (!fold.job_ended()) answering_.left(chat.job);
    response = failed(*fold.failure());
  } else if (peer && peer->gone()) {
    answering_.left(chat.job);
  } else {
    response.content_type = "text/event-stream";
    response.stream = [this, reading, job = chat.job](http::StreamWriter& writer) {
      return stream(reading, job, writer);
    };
  }
  describe(response, chat.job);
  co_return response;
}

Task<> ChatRoutes::stream(std::shared_ptr<Reading> reading, AwaitedJob job,
                          http::StreamWriter& writer) {
  co_await answering_.stream_to_end(*reading, writer);
  // The client has left, or was told to ask again. A server that goes down has left its clients,
  // not they it.
  if (!reading->fold().job_ended() && !writer.draining()) answering_.left(job);
}

}  // namespace millrace::openai
