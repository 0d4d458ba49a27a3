#include "producer/openai/error_shape.h"

#include <algorithm>
#include <array>

#include "shared/runtime/json_text.h"

namespace millrace::openai {
namespace {

std::string_view type_of(int status) {
  if (status == 401) return "authentication_error";
  if (status == 403) return "permission_error";
  if (status == 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}

void append_or_null(std::string& out, std::string_view text) {
  if (text.empty())
    out += "null";
  else
    append_json_string(out, text);
}

bool is_index(std::string_view step) {
  return !step.empty() && std::ranges::all_of(step, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string param_of(std::string_view field) {
  if (!field.starts_with('/')) return std::string(field);
  std::string param;
  while (!field.empty()) {
    field.remove_prefix(1);
    const auto step = field.substr(0, field.find('/'));
    field.remove_prefix(step.size());
    if (is_index(step) && !param.empty())
      param.append("[").append(step).append("]");
    else
      param.append(param.empty() ? "" : ".").append(step);
  }
  return param;
}

std::string error_json(const Problem& problem) {
  std::string out = R"({"error":{"message":)";
  append_json_string(out, problem.detail.empty() ? problem.title : problem.detail);
  out.append(R"(,"type":")").append(type_of(problem.status)).append(R"(","param":)");
  append_or_null(out, problem.field == "body" ? std::string() : param_of(problem.field));
  out += R"(,"code":)";
  append_or_null(out, problem.code);
  return out += "}}";
}

http::Response error_response(const Problem& problem) {
  http::Response response;
  response.status = problem.status;
  response.body = error_json(problem);
  return response;
}

http::Response error_response(const Refusal& refusal) {
  http::Response response = error_response(refusal.problem);
  if (refusal.retry_after.count() > 0)
    response.headers.emplace_back("Retry-After", std::to_string(refusal.retry_after.count()));
  // The job may run: whether to pay for a second one is for a person to say.
  if (refusal.id) {
    response.headers.emplace_back("X-Millrace-Job", refusal.id->str());
    forbid_retry(response);
  }
  return response;
}

http::Response path_error(const Problem& problem, std::string_view path) {
  if (problem.code != "not_found") return error_response(problem);
  Problem told = problem;
  told.detail = "millrace does not serve " + quoted(path) +
                ". Of OpenAI's API it serves /v1/chat/completions, /v1/responses and /v1/models; "
                "check the path, a slash at its end included.";
  return error_response(told);
}

bool serves(std::string_view path) {
  // What OpenAI's API has, here or not: its SDKs read errors in its shape alone.
  constexpr std::array<std::string_view, 26> roots{
      "/v1/chat",          "/v1/models",        "/v1/responses",   "/v1/assistants",
      "/v1/audio",         "/v1/batches",       "/v1/chatkit",     "/v1/completions",
      "/v1/containers",    "/v1/conversations", "/v1/edits",       "/v1/embeddings",
      "/v1/engines",       "/v1/evals",         "/v1/files",       "/v1/fine-tunes",
      "/v1/fine_tuning",   "/v1/images",        "/v1/moderations", "/v1/organization",
      "/v1/realtime",      "/v1/skills",        "/v1/threads",     "/v1/uploads",
      "/v1/vector_stores", "/v1/videos"};
  return std::ranges::any_of(roots, [path](std::string_view root) {
    return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
  });
}

void forbid_retry(http::Response& response) {
  response.headers.emplace_back("x-should-retry", "false");
}

}  // namespace millrace::openai
