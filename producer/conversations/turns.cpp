#include "producer/conversations/turns.h"

#include "producer/conversations/detail_shape.h"
#include "producer/ingress/request_headers.h"

namespace millrace::conversations {
namespace {

// Until there are API keys everybody is this tenant.
constexpr const char* only_tenant = "default";

using Taken = std::expected<Receipt, http::Response>;

}  // namespace

Task<Taken> Turns::take(const http::Request& request, ChatAsked asked) {
  auto key = idempotency_key(request);
  if (!key) co_return std::unexpected(detail_response(key.error()));
  // The turn's job must be known before it is queued, so every one has a key.
  const auto print = fingerprint(request.body);
  const bool own_key = key->empty();
  if (own_key) *key = "turn " + new_token(parts_.random).str();
  Job turn;
  turn.id = derived_job_id(only_tenant, *key);
  turn.session = asked.session;
  const auto question = co_await parts_.sessions.ask(turn, asked.message);
  if (!question && question.error() == Errc::not_found)
    co_return std::unexpected(no_such_session(asked.session));
  if (!question) co_return std::unexpected(store_failed(question.error()));
  auto job = co_await with_context(asked, turn.id);
  Submitted submitted = std::unexpected(job ? Refusal{} : job.error());
  if (job) {
    job->traceparent = traceparent(request);
    submitted = co_await parts_.submit.keyed(std::move(*job), std::move(*key), print);
  }
  if (submitted) co_return std::move(*submitted);
  // Where it names a job that job may run, and is then answered in its turn. Under a client's key
  // the turn may be one that was accepted before.
  if (own_key && !submitted.error().id) (void)co_await parts_.sessions.withdraw(turn);
  co_return std::unexpected(detail_response(submitted.error()));
}

/// What had been said when it was asked, so that a retry makes the same job.
Task<std::expected<Job, Refusal>> Turns::with_context(ChatAsked asked, JobId id) {
  const std::uint32_t own_max = 2;
  auto said = co_await parts_.sessions.messages(only_tenant, asked.session,
                                                parts_.context_messages - 1 + own_max, id);
  if (!said) co_return std::unexpected(said.error() == Errc::full ? storage_full() : store_away());
  std::erase_if(*said, [&id](const Message& message) { return message.job == id; });
  const auto wanted = static_cast<std::ptrdiff_t>(parts_.context_messages - 1);
  if (std::ssize(*said) > wanted) said->erase(said->begin(), said->end() - wanted);
  co_return chat_job(asked, *said, parts_.clock.wall());
}

}  // namespace millrace::conversations
