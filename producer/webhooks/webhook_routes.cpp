#include "producer/webhooks/webhook_routes.h"

#include <charconv>
#include <expected>

#include "producer/ingress/limits.h"
#include "producer/ingress/refusal.h"
#include "producer/ingress/request_headers.h"
#include "producer/webhooks/delivery_view.h"
#include "shared/http/one_meaning.h"

namespace millrace {
namespace {

Refusal invalid(std::string_view name, std::string detail) {
  return refuse("invalid_parameter", std::string(name), std::move(detail));
}

Refusal no_such_delivery(const JobId& job) {
  return refuse("delivery_not_found", "id",
                "There is no delivery " + webhook_id(job) +
                    "; GET /v1/webhooks/deliveries lists those there are, as long as their jobs "
                    "are kept.");
}

Refusal failed(Errc error, const JobId& job) {
  if (error == Errc::not_found) return no_such_delivery(job);
  return error == Errc::full ? storage_full() : store_away();
}

http::Response answered(std::string body) {
  http::Response response;
  response.body = std::move(body);
  return response;
}

std::expected<JobId, Refusal> delivery_id(const http::Request& request) {
  if (auto refusal = unheard(request)) return std::unexpected(std::move(*refusal));
  const auto job = job_of_webhook(request.params.front());
  if (job) return *job;
  return std::unexpected(
      invalid("id", "The delivery id " + quoted(request.params.front()) +
                        " is none; it is `msg_` and 32 hexadecimal digits, as in `webhook-id`."));
}

http::Response shown(const Result<std::vector<std::string>>& secrets) {
  if (!secrets) return to_response(secrets.error() == Errc::full ? storage_full() : store_away());
  auto response = answered(secrets_json(*secrets));
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

std::optional<Refusal> read_limit(const std::string& text, DeliveryFilter& filter) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), filter.limit);
  const bool number = error == std::errc() && end == text.data() + text.size();
  if (number && filter.limit >= 1 && filter.limit <= ingress_limits::list_limit_max) return {};
  return invalid("limit", "`limit` is " + quoted(text) + "; allowed is a number from 1 to 100.");
}

std::optional<Refusal> read_after(const std::string& text, DeliveryFilter& filter) {
  filter.after = job_of_webhook(text);
  if (filter.after) return {};
  return invalid("after", "`after` is " + quoted(text) +
                              "; it must be the id of a delivery, as `next` of the page before.");
}

std::optional<Refusal> read_job(const std::string& text, DeliveryFilter& filter) {
  filter.job = JobId::parse(text);
  if (filter.job) return {};
  return invalid("job", "`job` is " + quoted(text) + "; it must be the id of a job, a UUID.");
}

std::optional<Refusal> read_state(const std::string& text, DeliveryFilter& filter) {
  filter.state = delivery_state(text);
  if (filter.state) return {};
  return invalid("state",
                 "`state` is " + quoted(text) + "; allowed are pending, delivered, failed.");
}

std::expected<DeliveryFilter, Refusal> read_filter(const http::Request& request) {
  DeliveryFilter filter;
  filter.tenant = request.tenant;
  filter.limit = ingress_limits::list_limit_default;
  std::optional<Refusal> fault;
  if (const auto unheard = http::unheard_parameter(request, {"limit", "after", "job", "state"}))
    fault = invalid(unheard->name, unheard->detail);
  const auto take = [&](std::string_view name, auto read) {
    const auto value = fault ? std::nullopt : request.query_param(name);
    if (value) fault = read(*value, filter);
  };
  take("limit", read_limit);
  take("after", read_after);
  take("job", read_job);
  take("state", read_state);
  if (fault) return std::unexpected(std::move(*fault));
  return filter;
}

}  // namespace

void WebhookRoutes::add_to(http::Router& router) {
  using http::Method;
  using http::Request;
  const std::string deliveries = "/v1/webhooks/deliveries";
  router.add(Method::get, deliveries, [this](Request& request) { return list(request); });
  router.add(Method::get, deliveries + "/{id}", [this](Request& request) { return show(request); });
  router.add(Method::post, deliveries + "/{id}/redeliver",
             [this](Request& request) { return redeliver(request); });
  router.add(Method::get, "/v1/webhooks/secret",
             [this](Request& request) { return show_secret(request); });
  router.add(Method::post, "/v1/webhooks/secret/rotate",
             [this](Request& request) { return rotate_secret(request); });
}

Task<http::Response> WebhookRoutes::list(http::Request& request) {
  auto filter = read_filter(request);
  if (!filter) co_return to_response(filter.error());
  const std::uint32_t limit = filter->limit;
  filter->limit = limit + 1;  // whether there are more
  const auto deliveries = co_await outbox_.list(*filter);
  if (!deliveries && deliveries.error() == Errc::not_found)
    co_return to_response(
        invalid("after", "There is no delivery " + webhook_id(*filter->after) +
                             " to go on after; take `next` of the page before, or leave `after` "
                             "out to begin with the newest."));
  if (!deliveries) co_return to_response(store_away());
  co_return answered(delivery_list_json(*deliveries, limit));
}

Task<http::Response> WebhookRoutes::show(http::Request& request) {
  const auto job = delivery_id(request);
  if (!job) co_return to_response(job.error());
  const auto history = co_await outbox_.find(request.tenant, *job);
  if (!history) co_return to_response(failed(history.error(), *job));
  co_return answered(history_json(*history));
}

Task<http::Response> WebhookRoutes::redeliver(http::Request& request) {
  const auto job = delivery_id(request);
  if (!job) co_return to_response(job.error());
  if (const auto refusal = not_json(request)) co_return to_response(*refusal);
  const auto delivery = co_await outbox_.redeliver(request.tenant, *job);
  if (!delivery) co_return to_response(failed(delivery.error(), *job));
  auto response = answered(delivery_json(*delivery));
  response.status = 202;
  co_return response;
}

Task<http::Response> WebhookRoutes::show_secret(http::Request& request) {
  if (const auto refusal = unheard(request)) co_return to_response(*refusal);
  const auto secrets = co_await outbox_.secrets(request.tenant);
  co_return shown(secrets);
}

Task<http::Response> WebhookRoutes::rotate_secret(http::Request& request) {
  if (const auto refusal = unheard(request)) co_return to_response(*refusal);
  if (const auto refusal = not_json(request)) co_return to_response(*refusal);
  const auto secrets = co_await outbox_.rotate(request.tenant);
  co_return shown(secrets);
}

}  // namespace millrace
