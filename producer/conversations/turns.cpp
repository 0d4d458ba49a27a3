#include "producer/conversations/turns.h"

#include "producer/conversations/detail_shape.h"
#include "producer/ingress/request_headers.h"

namespace millrace::conversations {
namespace {

using Taken = std::expected<Receipt, http::Response>;

}  // namespace

Task<Taken> Turns::take(const http::Request& request, ChatAsked asked) {
  auto key = idempotency_key(request);
  if (!key) co_return std::unexpected(detail_response(key.error()));
  auto job = chat_job(asked, parts_.context, parts_.clock.wall());
  if (!job) co_return std::unexpected(detail_response(job.error()));
  job->tenant = request.tenant;
  job->traceparent = traceparent(request);
  // The turn's job must be known before it is queued, so every one has a key.
  const auto print = fingerprint(request.body);
  const bool own_key = key->empty();
  if (own_key) *key = "turn " + new_token(parts_.random).str();
  Job turn;
  turn.tenant = request.tenant;
  turn.id = derived_job_id(turn.tenant, *key);
  turn.session = asked.session;
  const bool away = co_await model_is_away(turn, own_key);
  if (away) co_return std::unexpected(detail_response(503, "LLM server not available"));
  const auto question = co_await parts_.sessions.ask(turn, asked.message);
  if (!question && question.error() == Errc::not_found)
    co_return std::unexpected(no_such_session(asked.session));
  if (!question) co_return std::unexpected(store_failed(question.error()));
  auto submitted = co_await parts_.submit.keyed(std::move(*job), std::move(*key), print);
  if (submitted) co_return std::move(*submitted);
  // Where it names a job that job may run, and is then answered in its turn. Under a client's key
  // the turn may be one that was accepted before.
  if (own_key && !submitted.error().id) (void)co_await parts_.sessions.withdraw(turn);
  co_return std::unexpected(detail_response(in_words_of(asked, std::move(submitted.error()))));
}

/// What was accepted under a client's key before is answered all the same.
Task<bool> Turns::model_is_away(Job turn, bool own_key) {
  if (parts_.model.found() != ModelProbe::Found::away) co_return false;
  if (own_key) co_return true;
  const auto job = co_await parts_.lookup.find(turn.tenant, turn.id);
  co_return !job;
}

}  // namespace millrace::conversations
