// Requests as an attacker sends them: whatever the bytes and however they are cut, the reader
// comes to one conclusion, and where it accepts what Beast accepts too, both see the same request
// of the same length. Two readings of one length are how requests are smuggled.
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstdlib>
#include <optional>

#include "shared/http/chunk_decoder.h"
#include "shared/http/percent.h"
#include "shared/http/request_head.h"
#include "shared/http/router.h"
#include "shared/runtime/json_text.h"

namespace millrace::http {
namespace {

namespace beast = boost::beast::http;

constexpr std::size_t body_bytes_max = 1 << 20;

void require(bool promise) {
  if (!promise) std::abort();
}

void check_problem(const Problem& problem) {
  require(problem.status >= 400 && problem.status < 600);
  require(!problem.code.empty() && !problem.title.empty() && !problem.detail.empty());
  require(valid_utf8(to_json(problem)));
}

using HeadEnd = std::expected<std::optional<std::size_t>, Problem>;

HeadEnd head_end_in_pieces(std::string_view bytes, std::size_t step) {
  std::size_t scanned = 0;
  for (std::size_t size = step;; size += step) {
    auto end = find_head_end(bytes.substr(0, size), scanned, HeadLimits{});
    if (!end || *end || size >= bytes.size()) return end;
  }
}

struct Unchunked {
  std::optional<int> refused;
  bool done = false;
  std::size_t used = 0;
  std::string body;
  bool operator==(const Unchunked&) const = default;
};

Unchunked unchunk(std::string_view bytes, std::size_t step) {
  ChunkDecoder decoder(body_bytes_max);
  Unchunked result;
  while (result.used < bytes.size() && !decoder.done()) {
    const auto used = decoder.feed(bytes.substr(result.used, step), result.body);
    if (!used) {
      check_problem(used.error());
      return {used.error().status, false, 0, {}};
    }
    require(*used > 0);
    result.used += *used;
  }
  result.done = decoder.done();
  return result;
}

void check_path(std::string_view raw_path, Method method) {
  static const Router router = [] {
    Router made;
    const Handler unused = [](Request&) -> Task<Response> { co_return Response{}; };
    made.add(Method::post, "/v1/jobs", unused);
    made.add(Method::get, "/v1/jobs/{id}", unused);
    made.add(Method::get, "/", unused);
    return made;
  }();
  const auto match = router.find(method, raw_path);
  for (const auto& param : match.params) require(!param.empty() && valid_utf8(param));
  if (const auto path = percent_decoded(raw_path))
    require(valid_utf8(*path) && path->find('\0') == std::string::npos);
}

/// What Beast makes of the same bytes; nothing when it refuses them or waits for more.
struct Other {
  beast::request_parser<beast::string_body> parser;
  std::size_t used = 0;
  bool read(std::string_view bytes) {
    parser.body_limit(boost::none);
    parser.header_limit(1 << 20);
    parser.eager(true);
    boost::system::error_code error;
    used = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
    return !error && parser.is_done();
  }
};

void check_same(std::string_view bytes, const RequestHead& head, std::size_t request_bytes,
                const std::string& body) {
  Other other;
  if (!other.read(bytes)) return;
  require(other.used == request_bytes);
  const auto& message = other.parser.get();
  require(message.body() == body);
  require(other.parser.chunked() == head.chunked);
  require((message.version() == 10) == head.http_1_0);
  require(std::distance(message.begin(), message.end()) >=
          static_cast<std::ptrdiff_t>(head.fields.size()));
  std::string target(message.target());
  if (target.starts_with('/')) {
    std::string own(head.raw_path);
    if (target.find('?') != target.npos) own.append("?").append(head.query);
    require(own == target);
  }
}

void check_request(std::string_view bytes) {
  const auto end = head_end_in_pieces(bytes, std::max<std::size_t>(bytes.size(), 1));
  for (const std::size_t step : {1, 2, 3, 7}) {
    const auto in_pieces = head_end_in_pieces(bytes, step);
    // A piece may show an end, or a fault, before the fault behind it has come.
    if (end && *end) require(in_pieces && *in_pieces == *end);
    if (end && !*end) require(in_pieces && !*in_pieces);
    if (!end) require(!in_pieces);
  }
  if (!end) return check_problem(end.error());
  if (!*end) return;
  const auto head = parse_head(bytes.substr(0, **end), HeadLimits{});
  if (!head) return check_problem(head.error());
  require(!(head->chunked && head->content_length));
  check_path(head->raw_path, head->method);
  (void)query_is_sound(head->query);

  const auto rest = bytes.substr(**end);
  if (head->chunked) {
    const auto whole = unchunk(rest, std::max<std::size_t>(rest.size(), 1));
    for (const std::size_t step : {1, 2, 3, 7}) require(unchunk(rest, step) == whole);
    if (whole.done) check_same(bytes, *head, **end + whole.used, whole.body);
  } else {
    const auto length = head->content_length.value_or(0);
    if (length <= rest.size())
      check_same(bytes, *head, **end + length, std::string(rest.substr(0, length)));
  }
}

}  // namespace
}  // namespace millrace::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  millrace::http::check_request({reinterpret_cast<const char*>(data), size});
  return 0;
}
