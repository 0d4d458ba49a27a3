#include "ops/cli/edge.h"

#include <stdexcept>

#include "ops/cli/json.h"
#include "shared/runtime/json_text.h"
#include "shared/runtime/limits.h"

namespace millrace::cli {

namespace {

/// Where a client of this host reaches what listens on `host`.
std::string reached_at(const std::string& host) {
  if (host == "0.0.0.0") return "127.0.0.1";
  if (host == "::") return "[::1]";
  return host.contains(':') ? "[" + host + "]" : host;
}

constexpr auto start_it =
    "start `millrace serve` there, or name another edge by MILLRACE_URL (--url)";
constexpr auto check_it = "which is not what an edge of millrace says: check MILLRACE_URL (--url)";

std::string code_of(const BlockingAnswer& answer) {
  return Json(answer.body).text("/code");
}

/// A path that an edge does not serve: the URL names something beside it.
bool no_such_path(const BlockingAnswer& answer) {
  const std::string code = code_of(answer);
  return answer.status == 404 && (code.empty() || code == "not_found");
}

}  // namespace

std::string edge_url(const Config& config) {
  std::string url = config.url;
  if (url.empty()) url = reached_at(config.host) + ":" + std::to_string(config.port);
  if (!url.contains("://")) url.insert(0, "http://");
  if (!url.starts_with("http://") && !url.starts_with("https://"))
    throw std::invalid_argument("the edge's URL (MILLRACE_URL, --url) is \"" + url +
                                "\"; allowed: http(s)://host[:port]");
  while (url.ends_with('/')) url.pop_back();
  return url;
}

Edge::Edge(const Config& config) : url_(edge_url(config)), key_(config.api_key) {}

std::vector<std::string> Edge::with_key(std::vector<std::string> headers) const {
  if (!key_.empty()) headers.push_back("Authorization: Bearer " + key_);
  return headers;
}

BlockingAnswer Edge::get(const std::string& path, Duration timeout) {
  return http_.ask(
      {.url = url_ + path, .headers = with_key({"Accept: application/json"}), .timeout = timeout});
}

BlockingAnswer Edge::post(const std::string& path, std::string body,
                          std::vector<std::string> headers, Duration timeout) {
  headers.insert(headers.end(),
                 {"Accept: application/json", "Content-Type: application/json", "Expect:"});
  return http_.ask({.method = "POST",
                    .url = url_ + path,
                    .headers = with_key(std::move(headers)),
                    .body = std::move(body),
                    .timeout = timeout});
}

BlockingAnswer Edge::stream(const std::string& path, const std::string& last_event_id,
                            const BlockingHttp::TakeBody& take) {
  BlockingRequest request{.url = url_ + path,
                          .headers = with_key({"Accept: text/event-stream"}),
                          .silence_max = 3 * limits::heartbeat_every};
  if (!last_event_id.empty()) request.headers.push_back("Last-Event-ID: " + last_event_id);
  return http_.ask(request, take);
}

void Edge::wait(Duration time) {
  Clock::TimerId timer{};
  loop_.clock.async_wait(loop_.clock.now() + time, &timer, [](boost::system::error_code) {});
  loop_.io.restart();
  loop_.io.run();
}

bool good(const BlockingAnswer& answer) {
  return answer.how == HttpHow::complete && answer.status / 100 == 2;
}

bool passing(const BlockingAnswer& answer) {
  if (answer.how == HttpHow::refused || answer.how == HttpHow::malformed) return false;
  return answer.how != HttpHow::complete || answer.status == 429 || answer.status >= 500;
}

Exit exit_of(const BlockingAnswer& answer) {
  if (answer.how != HttpHow::complete || passing(answer)) return Exit::unreachable;
  return answer.status == 404 && !no_such_path(answer) ? Exit::not_found : Exit::usage;
}

std::string reason(const BlockingAnswer& answer, std::string_view url) {
  if (answer.how != HttpHow::complete) {
    return "no answer from " + std::string(url) + " (" + answer.detail + "): " + start_it;
  }
  const Json json(answer.body);
  std::string said = json.text("/detail");
  if (said.empty()) said = json.text("/title");
  if (said.empty() || no_such_path(answer))
    return std::string(url) + " answered " + std::to_string(answer.status) + ", " + check_it;
  if (answer.retry_after)
    said += " Try again in " +
            std::to_string(
                std::chrono::duration_cast<std::chrono::seconds>(*answer.retry_after).count()) +
            " s.";
  return said + " (" + std::to_string(answer.status) + " " + json.text("/code") + ")";
}

}  // namespace millrace::cli
