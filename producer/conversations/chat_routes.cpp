#include "producer/conversations/chat_routes.h"

#include "producer/conversations/detail_shape.h"
#include "producer/ingress/request_headers.h"
#include "shared/runtime/json_text.h"

namespace millrace::conversations {
namespace {

// Until there are API keys everybody is this tenant.
constexpr const char* only_tenant = "default";
/// As long as a turn of a model may take, and a little for the queue.
constexpr Duration answer_wait_max = limits::model_turn_timeout + 1min;

std::string answer_json(const StoredJob& job, std::string_view session) {
  std::string out = R"({"content":)";
  append_json_string(out, job.outcome->text);
  out += R"(,"session_id":)";
  append_json_string(out, session);
  out += R"(,"message_id":)";
  append_json_string(out, answer_id(job.id));
  out += R"(,"token_usage":)";
  out += job.outcome->usage.empty() ? "null" : job.outcome->usage;
  return out += '}';
}

http::Response without_answer(const Outcome& outcome) {
  if (outcome.state == JobState::cancelled)
    return detail_response(409, "The answer was interrupted; what was said is in the session");
  if (outcome.state == JobState::expired)
    return detail_response(504, "The answer was not there before its deadline");
  if (outcome.error_code == "upstream_unavailable")
    return detail_response(503, "LLM server not available");
  return detail_response(502, "The model's server failed: " + outcome.error_message);
}

}  // namespace

void ChatRoutes::add_to(http::Router& router) {
  router.add(http::Method::post, "/api/chat",
             [this](http::Request& request) { return chat(request); });
}

Task<http::Response> ChatRoutes::chat(http::Request& request) {
  if (const auto refusal = unheard(request)) co_return detail_response(*refusal);
  auto key = idempotency_key(request);
  if (!key) co_return detail_response(key.error());
  const auto asked = parse_chat(request.body);
  if (!asked) co_return detail_response(asked.error());

  // The turn's job must be known before it is queued, so every one has a key.
  const auto print = fingerprint(request.body);
  const bool own_key = key->empty();
  if (own_key) *key = "turn " + new_token(parts_.random).str();
  Job turn;
  turn.id = derived_job_id(only_tenant, *key);
  turn.session = asked->session;
  const auto question = co_await parts_.sessions.ask(turn, asked->message);
  if (!question && question.error() == Errc::not_found) co_return no_such_session(asked->session);
  if (!question) co_return store_failed(question.error());
  auto job = co_await with_context(*asked, turn.id);
  Submitted submitted = std::unexpected(job ? Refusal{} : job.error());
  if (job) {
    job->traceparent = traceparent(request);
    submitted = co_await parts_.submit.keyed(std::move(*job), std::move(*key), print);
  }
  if (!submitted) {
    // Where it names a job that job may run, and is then answered in its turn. Under a client's key
    // the turn may be one that was accepted before.
    if (own_key && !submitted.error().id) (void)co_await parts_.sessions.withdraw(turn);
    co_return detail_response(submitted.error());
  }
  co_return co_await answer(request, submitted->id, asked->session);
}

/// What had been said when it was asked, so that a retry makes the same job.
Task<std::expected<Job, Refusal>> ChatRoutes::with_context(ChatAsked asked, JobId id) {
  const std::uint32_t own_max = 2;
  auto said = co_await parts_.sessions.messages(only_tenant, asked.session,
                                                parts_.context_messages - 1 + own_max, id);
  if (!said) co_return std::unexpected(said.error() == Errc::full ? storage_full() : store_away());
  std::erase_if(*said, [&id](const Message& message) { return message.job == id; });
  const auto wanted = static_cast<std::ptrdiff_t>(parts_.context_messages - 1);
  if (std::ssize(*said) > wanted) said->erase(said->begin(), said->end() - wanted);
  co_return chat_job(asked, *said, parts_.clock.wall());
}

Task<http::Response> ChatRoutes::answer(http::Request& request, JobId id, std::string session) {
  const Instant deadline = parts_.clock.now() + answer_wait_max;
  std::optional<Asker> asker;
  if (auto* peer = request.asker) asker.emplace(peer->watch(), [peer] { return peer->gone(); });
  const auto job =
      co_await parts_.lookup.find_ended(only_tenant, id, deadline, asker ? &*asker : nullptr);
  if (!job) co_return detail_response(job.error());
  if (!terminal(job->state) || !job->outcome)
    co_return detail_response(504, "The answer takes long; it will be in the session");
  if (job->state != JobState::succeeded) co_return without_answer(*job->outcome);
  http::Response response;
  response.body = answer_json(*job, session);
  co_return response;
}

}  // namespace millrace::conversations
