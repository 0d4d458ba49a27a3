#include "producer/conversations/session_routes.h"

#include "producer/conversations/detail_shape.h"
#include "producer/conversations/session_request.h"
#include "producer/conversations/session_view.h"
#include "producer/ingress/request_headers.h"
#include "shared/runtime/ids.h"
#include "shared/runtime/json_text.h"

namespace millrace::conversations {
namespace {

http::Response failed(Errc error, std::string_view id) {
  return error == Errc::not_found ? no_such_session(id) : store_failed(error);
}

http::Response with_body(std::string body) {
  http::Response response;
  response.body = std::move(body);
  return response;
}

void append_dependency(std::string& out, std::string_view name, bool ready) {
  out.append("\"").append(name).append(ready ? R"(":"ok")" : R"(":"unavailable")");
}

}  // namespace

void SessionRoutes::add_to(http::Router& router) {
  using http::Method;
  using http::Request;
  router.add(Method::post, "/api/sessions", [this](Request& request) { return create(request); });
  router.add(Method::post, "/api/session/create",
             [this](Request& request) { return create_for_user(request); });
  router.add(Method::get, "/api/sessions/{id}", [this](Request& request) { return show(request); });
  router.add(Method::del, "/api/sessions/{id}",
             [this](Request& request) { return remove(request); });
  router.add(Method::get, "/api/sessions/{id}/messages",
             [this](Request& request) { return messages(request); });
  router.add(Method::get, "/api/health", [this](Request& request) { return health(request); });
  router.add(Method::get, "/health", [this](Request& request) { return alive(request); });
}

Task<http::Response> SessionRoutes::create(http::Request& request) {
  const auto metadata = session_metadata(request);
  if (!metadata) co_return detail_response(metadata.error());
  const std::string id = new_job_id(parts_.clock.wall(), parts_.random).str();
  const auto made = co_await parts_.sessions.create(request.tenant, id, *metadata);
  if (!made) co_return store_failed(made.error());
  co_return with_body(session_json(*made));
}

Task<http::Response> SessionRoutes::create_for_user(http::Request& request) {
  const auto metadata = user_metadata(request);
  if (!metadata) co_return detail_response(metadata.error());
  const std::string id = user_session_id(parts_.clock.wall(), parts_.random);
  const auto made = co_await parts_.sessions.create(request.tenant, id, *metadata);
  if (!made) co_return store_failed(made.error());
  std::string body = R"({"session_id":)";
  append_json_string(body, made->id);
  body += R"(,"created_at":")";
  append_rfc3339(body, made->created_at);
  co_return with_body(body + "\"}");
}

Task<http::Response> SessionRoutes::show(http::Request& request) {
  if (const auto refusal = unheard(request)) co_return detail_response(*refusal);
  const std::string id = request.params.front();
  const auto session = co_await parts_.sessions.access(request.tenant, id);
  if (!session) co_return failed(session.error(), id);
  co_return with_body(session_json(*session));
}

Task<http::Response> SessionRoutes::remove(http::Request& request) {
  if (const auto refusal = unheard(request)) co_return detail_response(*refusal);
  const std::string id = request.params.front();
  const auto removed = co_await parts_.sessions.remove(request.tenant, id);
  if (!removed) co_return failed(removed.error(), id);
  co_await parts_.eraser.erase_turns(request.tenant, id);
  std::string body = R"({"session_id":)";
  append_json_string(body, id);
  co_return with_body(body + R"(,"deleted":true})");
}

Task<http::Response> SessionRoutes::messages(http::Request& request) {
  const auto limit = message_limit(request);
  if (!limit) co_return detail_response(limit.error());
  const std::string id = request.params.front();
  const auto found = co_await parts_.sessions.messages(request.tenant, id, *limit);
  if (!found) co_return failed(found.error(), id);
  co_return with_body(messages_json(id, *found));
}

Task<http::Response> SessionRoutes::health(http::Request&) {
  const bool queue = parts_.queue_ready();
  const bool log = parts_.log_ready();
  const bool store = parts_.store_ready();
  const auto model = parts_.model.found();
  const bool all = queue && log && store && model != ModelProbe::Found::away;
  std::string body =
      all ? R"({"status":"healthy","dependencies":{)" : R"({"status":"unhealthy","dependencies":{)";
  append_dependency(body, "queue", queue);
  body += ',';
  append_dependency(body, "event_log", log);
  body += ',';
  append_dependency(body, "store", store);
  body += ',';
  if (model == ModelProbe::Found::simulated)
    body += R"("llm_server":"simulated")";
  else
    append_dependency(body, "llm_server", model == ModelProbe::Found::there);
  auto response = with_body(body + "}}");
  response.status = all ? 200 : 503;
  co_return response;
}

Task<http::Response> SessionRoutes::alive(http::Request&) {
  co_return with_body(R"({"status":"healthy"})");
}

}  // namespace millrace::conversations
