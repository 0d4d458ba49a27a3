#pragma once
#include "shared/http/router.h"
#include "shared/webhooks.h"

namespace millrace {

/// What became of a tenant's webhooks: `GET /v1/webhooks/deliveries` (newest first; `limit`,
/// `after`, `job`, `state`), `GET /v1/webhooks/deliveries/{id}` with its attempts,
/// `POST /v1/webhooks/deliveries/{id}/redeliver`; and what signs them: `GET /v1/webhooks/secret`,
/// `POST /v1/webhooks/secret/rotate`. One a loop; outlives the server that uses its router.
class WebhookRoutes {
 public:
  explicit WebhookRoutes(Webhooks& outbox) : outbox_(outbox) {}
  WebhookRoutes(const WebhookRoutes&) = delete;
  WebhookRoutes& operator=(const WebhookRoutes&) = delete;

  void add_to(http::Router& router);

 private:
  Task<http::Response> list(http::Request& request);
  Task<http::Response> show(http::Request& request);
  Task<http::Response> redeliver(http::Request& request);
  Task<http::Response> show_secret(http::Request& request);
  Task<http::Response> rotate_secret(http::Request& request);

  Webhooks& outbox_;
};

}  // namespace millrace
