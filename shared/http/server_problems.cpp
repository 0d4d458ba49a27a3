#include "shared/http/server_problems.h"

namespace millrace::http {

Problem not_found(const std::string& served) {
  return {404, "not_found", "There is no such path",
          "Check the path, a slash at its end included. Served here: " + served + ".", ""};
}

Problem wrong_method(const std::string& allow) {
  return {405, "method_not_allowed", "This path does not take this method",
          "Allowed here: " + allow + ".", ""};
}

Problem bad_path() {
  return {400, "bad_path", "The URL is malformed",
          "Path and query must percent-decode to UTF-8 text without NUL.", ""};
}

Problem internal_error() {
  return {500, "internal_error", "The server failed",
          "The fault is logged under this answer's x-request-id; trying again may help.", ""};
}

Problem too_slow(std::string_view what, Duration allowed) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(allowed).count();
  return {408, "request_timeout", "The request came too slowly",
          "The " + std::string(what) + " must arrive within " + std::to_string(ms) + " ms.", ""};
}

Problem too_slow_a_body(Duration grace, std::size_t bytes_per_s_min) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(grace).count();
  return {408, "request_timeout", "The request came too slowly",
          "A body that takes longer than " + std::to_string(ms) + " ms must come at " +
              std::to_string(bytes_per_s_min) + " bytes a second or faster on average.",
          ""};
}

Problem bodies_full() {
  return {503, "overloaded", "The server is full",
          "Too many bytes of other requests are being held. Try again in a second.", ""};
}

Problem too_many_connections(std::size_t allowed) {
  return {503, "too_many_connections", "The server is full",
          "All " + std::to_string(allowed) + " connections are in use. Try again in a second.", ""};
}

}  // namespace millrace::http
