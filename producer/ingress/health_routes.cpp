#include "producer/ingress/health_routes.h"

#include <prometheus/text_serializer.h>

#include <sstream>

#include "shared/runtime/json_text.h"

namespace millrace {
namespace {

void append_dependency(std::string& out, std::string_view name, bool ready) {
  out.append("\"").append(name).append(ready ? R"(":"ok")" : R"(":"unavailable")");
}

}  // namespace

void HealthRoutes::add_to(http::Router& router) {
  using http::Method;
  using http::Request;
  router.add(Method::get, "/livez", [this](Request& request) { return alive(request); });
  router.add(Method::get, "/readyz", [this](Request& request) { return ready(request); });
  router.add(Method::get, "/metrics", [this](Request& request) { return metrics(request); });
}

Task<http::Response> HealthRoutes::alive(http::Request&) {
  http::Response response;
  response.body = R"({"status":"ok"})";
  co_return response;
}

Task<http::Response> HealthRoutes::ready(http::Request&) {
  const bool queue = parts_.queue_ready();
  const bool log = parts_.log.reachable();
  const bool store = parts_.store.healthy();
  const std::string trouble = parts_.trouble ? parts_.trouble() : std::string();
  const bool all = queue && log && store && trouble.empty();
  http::Response response;
  response.status = all ? 200 : 503;
  response.body = all ? R"({"status":"ready",)" : R"({"status":"unavailable",)";
  append_dependency(response.body, "queue", queue);
  response.body += ',';
  append_dependency(response.body, "event_log", log);
  response.body += ',';
  append_dependency(response.body, "store", store);
  if (!trouble.empty()) {
    response.body += R"(,"detail":)";
    append_json_string(response.body, trouble);
  }
  response.body += '}';
  co_return response;
}

Task<http::Response> HealthRoutes::metrics(http::Request&) {
  http::Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  std::ostringstream text;
  for (const auto* source : parts_.metrics)
    prometheus::TextSerializer().Serialize(text, source->Collect());
  response.body = std::move(text).str();
  co_return response;
}

}  // namespace millrace
