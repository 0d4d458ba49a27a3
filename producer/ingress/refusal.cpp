#include "producer/ingress/refusal.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "producer/ingress/limits.h"
#include "shared/runtime/json_text.h"

namespace millrace {
namespace {

struct Code {
  std::string_view code;
  int status;
  std::string_view title;
};

constexpr std::array codes{
    Code{"invalid_json", 400, "The body is not a JSON object"},
    Code{"missing_field", 400, "A required field is missing"},
    Code{"invalid_field", 400, "A field has a value that is not allowed"},
    Code{"unknown_field", 400, "A field is not known"},
    Code{"duplicate_field", 400, "A field is given twice"},
    Code{"invalid_parameter", 400, "A header or parameter has a value that is not allowed"},
    Code{"not_supported", 400, "This part of the product is not there yet"},
    Code{"missing_api_key", 401, "An API key is missing"},
    Code{"invalid_api_key", 401, "The API key is not valid"},
    Code{"insufficient_scope", 403, "The API key may not do this"},
    Code{"cross_origin", 403, "A page of another origin may not do this"},
    Code{"host_not_allowed", 403, "The server is not known by this name"},
    Code{"job_not_found", 404, "There is no such job"},
    Code{"delivery_not_found", 404, "There is no such delivery"},
    Code{"model_not_found", 404, "There is no such model"},
    Code{"response_not_found", 404, "There is no such response"},
    Code{"item_not_found", 404, "There is no such item"},
    Code{"previous_response_not_found", 400, "There is no such response to go on from"},
    Code{"not_cancellable", 400, "This cannot be cancelled"},
    Code{"not_redrivable", 409, "The work of this job cannot be done again"},
    Code{"session_busy", 409, "The session has a job that has not ended"},
    Code{"too_large", 413, "The request is too large"},
    Code{"unsupported_media_type", 415, "The body has a form that is not supported"},
    Code{"idempotency_key_reused", 422, "The idempotency key belongs to another request"},
    Code{"session_full", 429, "The session has too many jobs waiting"},
    Code{"rate_limit_exceeded", 429, "Too many requests"},
    Code{"quota_exceeded", 429, "The tenant has too many jobs waiting"},
    Code{"overloaded", 503, "The service is overloaded"},
    Code{"queue_unavailable", 503, "The queue is not reachable"},
    Code{"outcome_unknown", 503, "It is not known whether the job was queued"},
    Code{"store_unavailable", 503, "The store is not reachable"},
    Code{"objects_unavailable", 503, "The object store is not reachable"},
    Code{"log_unavailable", 503, "The event log is not reachable"},
    Code{"storage_full", 507, "The server's disk is full"},
};

constexpr std::size_t quoted_bytes_max = 60;

}  // namespace

Problem make_problem(std::string_view code, std::string field, std::string detail) {
  const auto known = std::ranges::find(codes, code, &Code::code);
  assert(known != codes.end());
  return Problem{.status = known->status,
                 .code = std::string(code),
                 .title = std::string(known->title),
                 .detail = std::move(detail),
                 .field = std::move(field)};
}

Refusal refuse(std::string_view code, std::string field, std::string detail) {
  return {.problem = make_problem(code, std::move(field), std::move(detail)),
          .retry_after = {},
          .id = {},
          .final = false};
}

Refusal refuse_for_now(std::string_view code, std::string field, std::string detail,
                       std::chrono::seconds retry_after) {
  auto refusal = refuse(code, std::move(field), std::move(detail));
  refusal.retry_after = retry_after;
  return refusal;
}

Refusal no_such_job(const JobId& id) {
  return refuse("job_not_found", "id",
                "There is no job " + id.str() +
                    "; ids are those a POST /v1/jobs answered with, as long as the job is kept.");
}

Refusal store_away() {
  return refuse_for_now("store_unavailable", "",
                        "The store of jobs cannot be asked now. Try again after the time in "
                        "Retry-After.",
                        ingress_limits::retry_after_outage);
}

Refusal log_away() {
  return refuse_for_now("log_unavailable", "",
                        "The event log, which may know more of this job, cannot be reached now. "
                        "Try again after the time in Retry-After.",
                        ingress_limits::retry_after_outage);
}

Refusal storage_full() {
  return refuse_for_now("storage_full", "",
                        "The disk of the server is full; nothing was kept of this job, and none is "
                        "taken until an operator makes room there. Try again after the time in "
                        "Retry-After.",
                        ingress_limits::retry_after_full_disk);
}

Refusal nothing_kept() {
  return refuse_for_now("queue_unavailable", "",
                        "The files of the server were removed or replaced while it runs: nothing "
                        "was kept of this job, and none is taken until an operator mends that "
                        "(/readyz says how). Try again after the time in Retry-After.",
                        ingress_limits::retry_after_outage);
}

std::string to_json(const Refusal& refusal) {
  std::string json = to_json(refusal.problem);
  if (refusal.id) {
    json.pop_back();
    json.append(R"(,"id":")").append(refusal.id->str()).append("\"}");
  }
  return json;
}

http::Response to_response(const Refusal& refusal) {
  http::Response response = http::to_response(refusal.problem);
  response.body = to_json(refusal);
  if (refusal.retry_after.count() > 0)
    response.headers.emplace_back("Retry-After", std::to_string(refusal.retry_after.count()));
  if (refusal.final) response.headers.emplace_back("x-should-retry", "false");
  return response;
}

std::string quoted(std::string_view text) {
  const auto cut = cut_utf8(text, quoted_bytes_max);
  std::string out = "\"";
  out.append(cut).append(cut.size() < text.size() ? "…\"" : "\"");
  return out;
}

}  // namespace millrace
