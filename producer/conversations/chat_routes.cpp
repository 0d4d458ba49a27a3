#include "producer/conversations/chat_routes.h"

#include "producer/conversations/answer_end.h"
#include "producer/conversations/detail_shape.h"
#include "producer/conversations/question_fold.h"
#include "producer/conversations/reply_fold.h"
#include "producer/conversations/session_request.h"
#include "producer/ingress/request_headers.h"
#include "shared/runtime/json_text.h"

namespace millrace::conversations {
namespace {

/// As long as a turn of a model may take, and a little for the queue.
constexpr Duration answer_wait_max = limits::model_turn_timeout + 1min;

void describe(http::Response& response, const Receipt& receipt) {
  response.headers.emplace_back("X-Millrace-Job", receipt.id.str());
  if (receipt.attached) response.headers.emplace_back("Idempotent-Replayed", "true");
}

http::Response accepted(const JobId& job, std::string_view session) {
  http::Response response;
  response.status = 202;
  response.body = R"({"session_id":)";
  append_json_string(response.body, session);
  response.body += R"(,"message_id":)";
  append_json_string(response.body, answer_id(job));
  response.body += R"(,"job_id":")" + job.str() + "\"}";
  response.headers = {{"Location", "/v1/jobs/" + job.str()},
                      {"Preference-Applied", "respond-async"}};
  return response;
}

http::Response no_such_message(std::string_view id) {
  return detail_response(404, "Message " + std::string(id) + " not found");
}

http::Response stream_response(http::StreamBody stream) {
  http::Response response;
  response.content_type = "text/event-stream";
  response.stream = std::move(stream);
  return response;
}

}  // namespace

void ChatRoutes::add_to(http::Router& router) {
  using http::Method;
  using http::Request;
  router.add(Method::post, "/api/chat", [this](Request& request) { return chat(request); });
  router.add(Method::post, "/api/chat/stream",
             [this](Request& request) { return stream(request); });
  router.add(Method::get, "/api/chat/stream/{message_id}",
             [this](Request& request) { return stream_again(request); });
}

Task<http::Response> ChatRoutes::chat(http::Request& request) {
  if (const auto refusal = unheard(request)) co_return detail_response(*refusal);
  if (const auto refusal = not_json(request)) co_return detail_response(*refusal);
  const bool questioned = asks_question(request.body);
  if (questioned) co_return co_await question(request);
  const auto asked = parse_chat(request.body);
  if (!asked) co_return detail_response(asked.error());
  auto taken = co_await parts_.turns.take(request, *asked);
  if (!taken) co_return std::move(taken.error());
  http::Response response;
  if (prefers_async(request))
    response = accepted(taken->id, asked->session);
  else
    response = co_await answer(request, taken->id, asked->session);
  describe(response, *taken);
  co_return response;
}

Task<http::Response> ChatRoutes::question(http::Request& request) {
  auto asked = parse_question(request.body, parts_.features);
  if (!asked) co_return detail_response(asked.error());
  const auto after = last_event_id(request);
  if (!after) co_return detail_response(after.error());
  if (asked->session.empty()) asked->session = user_session_id(parts_.clock.wall(), parts_.random);
  const auto there = co_await have_session(request.tenant, asked->session);
  if (!there) co_return store_failed(there.error());
  auto taken = co_await parts_.turns.take(request, *asked);
  if (!taken) co_return std::move(taken.error());
  auto response = stream_response(relay::dialect_stream(
      parts_.hub, taken->id, *after, std::make_shared<QuestionFold>(taken->session, taken->id)));
  describe(response, *taken);
  co_return response;
}

/// Clients of questions name sessions of their own.
Task<Result<>> ChatRoutes::have_session(std::string tenant, std::string id) {
  const auto found = co_await parts_.sessions.access(tenant, id);
  if (found) co_return Result<>();
  if (found.error() != Errc::not_found) co_return Failure(found.error());
  const auto made = co_await parts_.sessions.create(tenant, id, "");
  if (made || made.error() == Errc::conflict) co_return Result<>();
  co_return Failure(made.error());
}

Task<http::Response> ChatRoutes::stream(http::Request& request) {
  if (const auto refusal = unheard(request)) co_return detail_response(*refusal);
  if (const auto refusal = not_json(request)) co_return detail_response(*refusal);
  const auto after = last_event_id(request);
  if (!after) co_return detail_response(after.error());
  const auto asked = parse_chat(request.body);
  if (!asked) co_return detail_response(asked.error());
  auto taken = co_await parts_.turns.take(request, *asked);
  if (!taken) co_return std::move(taken.error());
  auto response = streamed(taken->id, asked->session, *after);
  describe(response, *taken);
  co_return response;
}

Task<http::Response> ChatRoutes::stream_again(http::Request& request) {
  if (const auto refusal = unheard(request)) co_return detail_response(*refusal);
  const auto after = last_event_id(request);
  if (!after) co_return detail_response(after.error());
  const std::string& named = request.params.front();
  const auto id = JobId::parse(named);
  if (!id) co_return no_such_message(named);
  const auto job = co_await parts_.lookup.find(request.tenant, *id);
  const bool unknown = !job && job.error().problem.status == 404;
  if (unknown || (job && job->session.empty())) co_return no_such_message(named);
  if (!job) co_return detail_response(job.error());
  co_return streamed(*id, job->session, *after);
}

Task<http::Response> ChatRoutes::answer(http::Request& request, JobId id, std::string session) {
  const Instant deadline = parts_.clock.now() + answer_wait_max;
  std::optional<Asker> asker;
  if (auto* peer = request.asker) asker.emplace(peer->watch(), [peer] { return peer->gone(); });
  const auto job =
      co_await parts_.lookup.find_ended(request.tenant, id, deadline, asker ? &*asker : nullptr);
  if (!job) co_return detail_response(job.error());
  if (!terminal(job->state) || !job->outcome)
    co_return detail_response(504, "The answer takes long; it will be in the session");
  if (job->state != JobState::succeeded) co_return without_answer(*job->outcome);
  http::Response response;
  response.body = answer_json(*job, session);
  co_return response;
}

http::Response ChatRoutes::streamed(const JobId& id, const std::string& session, Seq after) const {
  return stream_response(relay::dialect_stream(
      parts_.hub, id, after, std::make_shared<ReplyFold>(session, id, after > 0)));
}

}  // namespace millrace::conversations
