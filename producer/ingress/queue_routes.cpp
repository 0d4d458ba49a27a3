#include "producer/ingress/queue_routes.h"

#include "producer/ingress/request_headers.h"
#include "shared/runtime/json_text.h"

namespace millrace {

void QueueRoutes::add_to(http::Router& router) {
  router.add(http::Method::get, "/v1/queue",
             [this](http::Request& request) { return show(request); });
}

Task<http::Response> QueueRoutes::show(http::Request& request) {
  if (const auto refusal = unheard(request)) co_return to_response(*refusal);
  const auto lag = lag_();
  http::Response response;
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = R"({"waiting":null,"finished_per_s":null})";
  if (!lag) co_return response;
  response.body = R"({"waiting":)";
  append_number(response.body, static_cast<std::uint64_t>(lag->waiting));
  response.body += R"(,"finished_per_s":)";
  append_number(response.body, lag->finished_per_s);
  response.body += '}';
  co_return response;
}

}  // namespace millrace
