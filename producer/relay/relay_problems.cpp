#include "producer/relay/relay_problems.h"

#include "shared/runtime/json_text.h"

namespace millrace::relay {
namespace {

constexpr std::size_t shown_bytes_max = 100;

std::string shown(std::string_view value) {
  return "'" + std::string(cut_utf8(value, shown_bytes_max)) + "'";
}

std::string new_link(const std::string& id) {
  return "ask for a new link with GET /v1/jobs/" + id;
}

}  // namespace

http::Response no_such_job(std::string_view id) {
  return http::to_response(
      {.status = 404,
       .code = "job_not_found",
       .title = "There is no such job",
       .detail = "There is no job " + std::string(cut_utf8(id, shown_bytes_max)) +
                 "; ids are those a POST /v1/jobs answered with, as long as the job is kept.",
       .field = "id"});
}

http::Response not_a_job_id(std::string_view field, std::string_view text) {
  return bad_parameter(field,
                       "the job id " + shown(text) + " is not a UUID; take the 'id' of the 202");
}

http::Response only_streamed() {
  return http::to_response({.status = 406,
                            .code = "not_acceptable",
                            .title = "The answer has no such form",
                            .detail =
                                "several jobs are served as text/event-stream alone: ask with "
                                "Accept: text/event-stream; JSON pages of one job are at "
                                "/v1/jobs/{id}/events",
                            .field = "Accept"});
}

http::Response log_away() {
  auto response =
      http::to_response({.status = 503,
                         .code = "events_unavailable",
                         .title = "The event log cannot be reached",
                         .detail = "whether the job exists cannot be told now; try again",
                         .field = {}});
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

http::Response nothing_left() {
  http::Response response;
  response.status = 204;
  response.content_type.clear();
  return response;
}

http::Response not_a_place(std::string_view field, std::string_view value,
                           std::string_view allowed) {
  return bad_parameter(
      field, shown(value) + " is not a place in this stream; allowed is " + std::string(allowed));
}

http::Response bad_parameter(std::string_view field, std::string_view detail) {
  return http::to_response({.status = 400,
                            .code = "invalid_parameter",
                            .title = "A parameter is not what it may be",
                            .detail = std::string(detail),
                            .field = std::string(field)});
}

Problem bad_signature(const std::string& id) {
  return {.status = 403,
          .code = "bad_signature",
          .title = "The link was not made for this stream",
          .detail = "the signature does not match this job and expiry; " + new_link(id),
          .field = "signature"};
}

Problem expired_signature(const std::string& id) {
  return {.status = 403,
          .code = "link_expired",
          .title = "The link has expired",
          .detail = "the link was good until the time in 'expires'; " + new_link(id),
          .field = "expires"};
}

}  // namespace millrace::relay
