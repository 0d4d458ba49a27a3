#include "producer/conversations/detail_shape.h"

#include "shared/runtime/json_text.h"

namespace millrace::conversations {

bool serves(std::string_view path) {
  return path.starts_with("/api/") || path == "/health";
}

http::Response detail_response(int status, std::string_view detail) {
  http::Response response;
  response.status = status;
  response.body = R"({"detail":)";
  append_json_string(response.body, detail);
  response.body += '}';
  return response;
}

http::Response detail_response(const Refusal& refusal) {
  const Problem& problem = refusal.problem;
  const std::string words = problem.detail.empty() ? problem.title : problem.detail;
  // Sentences about a header begin with its name.
  const bool named = problem.field.empty() || words.starts_with(problem.field);
  auto response = detail_response(problem.status, named ? words : problem.field + ": " + words);
  if (refusal.retry_after.count() > 0)
    response.headers.emplace_back("Retry-After", std::to_string(refusal.retry_after.count()));
  if (refusal.final) response.headers.emplace_back("x-should-retry", "false");
  return response;
}

http::Response no_such_session(std::string_view id) {
  return detail_response(404, "Session " + std::string(id) + " not found");
}

http::Response store_failed(Errc error) {
  return detail_response(error == Errc::full ? storage_full() : store_away());
}

}  // namespace millrace::conversations
