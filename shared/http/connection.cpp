#include "shared/http/connection.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>

#include "shared/http/chunk_decoder.h"
#include "shared/http/percent.h"
#include "shared/http/stream.h"
#include "shared/runtime/ids.h"
#include "shared/runtime/log.h"

namespace millrace::http {
namespace {

constexpr std::size_t request_id_bytes_max = 128;
/// What is read and thrown away before a connection is closed, so that the last answer is not
/// lost to a reset.
constexpr std::size_t linger_bytes_max = 1024 * 1024;
constexpr Duration linger_for = 2s;

bool sane_request_id(std::string_view id) {
  if (id.empty() || id.size() > request_id_bytes_max) return false;
  return std::ranges::all_of(id, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '_' || c == '-';
  });
}

std::string request_id_for(std::string_view own, Random& random) {
  if (sane_request_id(own)) return std::string(own);
  const std::uint64_t number = random.next();
  return to_hex({reinterpret_cast<const char*>(&number), sizeof number});
}

void append_lower(std::string& out, std::string_view text) {
  for (const char c : text) out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c);
}

/// Copies what the handler may look at: the buffer behind the head moves on.
Request to_request(const RequestHead& head) {
  Request request;
  request.method = head.method == Method::head ? Method::get : head.method;
  request.query = head.query;
  request.headers.reserve(head.fields.size());
  for (const auto& [name, value] : head.fields) {
    auto& [own_name, own_value] = request.headers.emplace_back();
    append_lower(own_name, name);
    own_value = value;
  }
  return request;
}

Problem not_found() {
  return {404, "not_found", "There is no such path", "See /v1/jobs for the API's entry.", ""};
}

Problem wrong_method(const std::string& allow) {
  return {405, "method_not_allowed", "This path does not take this method",
          "Allowed here: " + allow + ".", ""};
}

Problem bad_path() {
  return {400, "bad_path", "The path is malformed",
          "Its percent-encoding must decode to UTF-8 text without NUL.", ""};
}

Problem internal_error() {
  return {500, "internal_error", "The server failed",
          "The fault is logged under this answer's x-request-id; trying again may help.", ""};
}

Problem too_slow(std::string what, Duration time) {
  return {408, "request_timeout", "The request came too slowly",
          "The " + what + " must arrive within " +
              std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(time).count()) +
              " ms.",
          ""};
}

/// Answers the question a browser asks before a request of another origin's page.
Response options_response(const Router::Match& match, const Request& request) {
  Response response;
  response.status = 204;
  response.headers.emplace_back("Allow", match.allow);
  if (!request.header("access-control-request-method").empty()) {
    response.headers.emplace_back("Access-Control-Allow-Methods", match.allow);
    const auto wanted = request.header("access-control-request-headers");
    if (!wanted.empty()) response.headers.emplace_back("Access-Control-Allow-Headers", wanted);
    response.headers.emplace_back("Access-Control-Max-Age", "600");
  }
  return response;
}

}  // namespace

std::string_view ServerContext::date() {
  const auto now = std::chrono::floor<std::chrono::seconds>(clock.wall());
  if (date_.empty() || now != date_of_) {
    date_of_ = now;
    date_ = http_date(now);
  }
  return date_;
}

Connection::Connection(ServerContext& context, Socket socket, std::string peer)
    : context_(context), socket_(std::move(socket)), peer_(std::move(peer)) {
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  context_.counts.connections.fetch_add(1, std::memory_order_relaxed);
}

Connection::~Connection() {
  context_.counts.connections.fetch_sub(1, std::memory_order_relaxed);
}

void Connection::set_deadline(Phase phase, Duration time) {
  phase_ = phase;
  deadline_ = time == Duration::max() ? Instant::max() : context_.clock.now() + time;
}

void Connection::sweep(Instant now) {
  if (stream_ && stream_->stalled(now)) return stream_->cut(Errc::timed_out);
  if (now <= deadline_) return;
  timed_out_ = true;
  abort();
}

void Connection::drain() {
  if (stream_) stream_->wake().notify();
  if (phase_ == Phase::idle) abort();
}

void Connection::abort() {
  if (stream_) return stream_->cut(Errc::closed);
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

Task<> Connection::serve() {
  bool go_on = true;
  while (go_on) {
    std::unique_ptr<StreamStart> stream;
    go_on = co_await exchange(stream);
    if (!stream) continue;
    in_ = {};
    co_await run_stream(std::move(stream));
    go_on = false;
  }
  co_await linger();
}

/// Waits, then reads what there is. False: the peer has gone, or the deadline came.
Task<bool> Connection::read_more() {
  for (;;) {
    boost::system::error_code error;
    co_await socket_.async_wait(Socket::wait_read, asio::redirect_error(use_task, error));
    if (error) co_return false;
    const std::size_t got = socket_.read_some(asio::buffer(context_.scratch), error);
    in_.append(context_.scratch.data(), got);
    if (got > 0) co_return true;
    if (error != asio::error::would_block) co_return false;
  }
}

Task<bool> Connection::read_head(std::size_t& head_bytes, std::optional<Problem>& problem) {
  set_deadline(Phase::idle, context_.options.times.keep_alive);
  std::size_t scanned = 0;
  for (;;) {
    if (!in_.empty() && phase_ == Phase::idle)
      set_deadline(Phase::head, context_.options.times.head);
    const auto end = find_head_end(in_, scanned, HeadLimits{});
    if (!end) {
      problem = end.error();
      co_return false;
    }
    if (*end) {
      head_bytes = **end;
      co_return true;
    }
    if (phase_ == Phase::idle && context_.draining) co_return false;
    const bool more = co_await read_more();
    if (more) continue;
    if (timed_out_ && phase_ == Phase::head)
      problem = too_slow("head of a request", context_.options.times.head);
    co_return false;
  }
}

Task<bool> Connection::read_body(const BodyForm& form, std::string& body,
                                 std::optional<Problem>& problem) {
  if (!form.chunked && form.content_length > form.bytes_max) {
    problem = body_too_large(form.bytes_max);
    co_return false;
  }
  ChunkDecoder chunks(form.bytes_max);
  const auto length = static_cast<std::size_t>(form.content_length);
  if (!form.chunked) body.reserve(length);
  bool asked = !form.expects_continue;
  for (;;) {
    if (form.chunked) {
      const auto used = chunks.feed(in_, body);
      if (!used) {
        problem = used.error();
        co_return false;
      }
      in_.erase(0, *used);
      if (chunks.done()) co_return true;
    } else {
      const std::size_t taken = std::min(length - body.size(), in_.size());
      body.append(in_, 0, taken);
      in_.erase(0, taken);
      if (body.size() == length) co_return true;
    }
    if (!asked) {
      asked = co_await send("HTTP/1.1 100 Continue\r\n\r\n", {});
      if (!asked) co_return false;
    }
    set_deadline(Phase::body, context_.options.times.body_idle);
    const bool more = co_await read_more();
    if (more) continue;
    if (timed_out_) problem = too_slow("next piece of the body", context_.options.times.body_idle);
    co_return false;
  }
}

Task<Response> Connection::answer(Request& request, const Router::Match& match) {
  if (request.method == Method::options && !match.handler && !match.allow.empty())
    co_return options_response(match, request);
  if (!match.handler) {
    Response response = to_response(match.allow.empty() ? not_found() : wrong_method(match.allow));
    if (!match.allow.empty()) response.headers.emplace_back("Allow", match.allow);
    co_return response;
  }
  bool failed = false;
  Response response;
  try {
    response = co_await (*match.handler)(request);
  } catch (const std::exception& error) {
    failed = true;
    log::error("handler_failed",
               {{"request", request.request_id}, {"path", request.path}, {"error", error.what()}});
  }
  if (failed) co_return to_response(internal_error());
  co_return response;
}

Task<bool> Connection::exchange(std::unique_ptr<StreamStart>& stream) {
  std::optional<Problem> problem;
  std::size_t head_bytes = 0;
  const bool whole = co_await read_head(head_bytes, problem);
  if (!whole) {
    if (problem) co_await refuse(*problem, {});
    co_return false;
  }
  const auto head = parse_head(std::string_view(in_).substr(0, head_bytes), HeadLimits{});
  if (!head) {
    co_await refuse(head.error(), {});
    co_return false;
  }
  Request request = to_request(*head);
  request.peer = peer_;
  request.request_id = request_id_for(head->field("x-request-id"), context_.random);
  const bool is_head = head->method == Method::head;
  auto match = context_.router.find(head->method, head->raw_path);
  request.params = std::move(match.params);
  auto path = percent_decoded(head->raw_path);
  const BodyForm form{.content_length = head->content_length.value_or(0),
                      .chunked = head->chunked,
                      .expects_continue = head->expects_continue,
                      .bytes_max = match.route_limits.body_bytes_max};
  HeadParts parts;
  parts.http_1_0 = head->http_1_0;
  parts.close = !head->keep_alive;
  in_.erase(0, head_bytes);  // `head` is void from here on

  const bool read = co_await read_body(form, request.body, problem);
  if (!read) {
    if (problem) co_await refuse(*problem, request.request_id);
    co_return false;
  }
  set_deadline(Phase::handling, Duration::max());
  Response response;
  if (path && query_is_sound(request.query)) {
    request.path = std::move(*path);
    response = co_await answer(request, match);
  } else {
    response = to_response(bad_path());
  }
  Cors{context_.options.cors_origins}.allow(response, request.header("origin"));
  parts.status = response.status;
  parts.close = parts.close || context_.draining;
  if (response.stream && !is_head) {
    stream = std::make_unique<StreamStart>(
        StreamStart{std::move(response), parts, std::move(request.request_id)});
    co_return false;
  }
  parts.request_id = request.request_id;
  const bool sent = co_await respond(response, parts, !is_head);
  co_return sent && !parts.close;
}

Task<bool> Connection::respond(const Response& response, HeadParts parts, bool with_body) {
  const bool bodiless = response.status == 204 || response.status == 304;
  parts.body = bodiless ? HeadParts::Body::none : HeadParts::Body::sized;
  if (response.stream) parts.body = HeadParts::Body::chunked;  // HEAD of a stream
  parts.body_bytes = response.body.size();
  parts.date = context_.date();
  std::string head;
  head.reserve(512);
  append_head(head, parts, response);
  context_.counts.answered[static_cast<std::size_t>(parts.status / 100) % 6].fetch_add(
      1, std::memory_order_relaxed);
  const std::string_view body = with_body && !bodiless ? response.body : std::string_view();
  co_return co_await send(head, body);
}

Task<bool> Connection::refuse(const Problem& problem, std::string_view request_id) {
  timed_out_ = false;
  const std::string made = request_id.empty() ? request_id_for({}, context_.random) : std::string();
  HeadParts parts;
  parts.status = problem.status;
  parts.request_id = request_id.empty() ? std::string_view(made) : request_id;
  parts.close = true;
  const Response response = to_response(problem);
  co_return co_await respond(response, parts, true);
}

/// Tries first: nearly always the socket takes a whole response at once.
Task<bool> Connection::send(std::string_view head, std::string_view body) {
  std::array<asio::const_buffer, 2> parts{asio::buffer(head), asio::buffer(body)};
  while (parts[0].size() + parts[1].size() > 0) {
    boost::system::error_code error;
    std::size_t sent = socket_.write_some(parts, error);
    for (auto& part : parts) {
      const std::size_t taken = std::min(sent, part.size());
      part += taken;
      sent -= taken;
    }
    if (!error) continue;
    if (error != asio::error::would_block) co_return false;
    set_deadline(Phase::writing, context_.options.times.stall);
    co_await socket_.async_wait(Socket::wait_write, asio::redirect_error(use_task, error));
    if (error) co_return false;
  }
  co_return true;
}

Task<> Connection::run_stream(std::unique_ptr<StreamStart> start) {
  start->parts.close = true;
  start->parts.body =
      start->parts.http_1_0 ? HeadParts::Body::until_close : HeadParts::Body::chunked;
  start->parts.date = context_.date();
  start->parts.request_id = start->request_id;
  context_.counts.answered[static_cast<std::size_t>(start->parts.status / 100) % 6].fetch_add(
      1, std::memory_order_relaxed);
  std::string head;
  append_head(head, start->parts, start->response);
  const bool chunked = start->parts.body == HeadParts::Body::chunked;
  const StreamBody body = std::move(start->response.stream);
  start.reset();

  Stream stream(context_, socket_, chunked);
  stream_ = &stream;
  stream.watch();
  const auto opened = co_await stream.send({asio::buffer(head), {}, {}});
  head = {};
  bool whole = false;
  if (opened) {
    try {
      co_await body(stream);
      whole = true;
    } catch (const StreamCut&) {
      // Wanted: the response ends without its last chunk.
    } catch (const std::exception& error) {
      log::error("stream_failed", {{"error", error.what()}});
    }
  }
  // A body that failed is cut without its last chunk, so that nobody takes it for whole.
  if (whole && chunked && !stream.closed())
    (void)co_await stream.send({asio::buffer("0\r\n\r\n", 5), {}, {}});
  co_await stream.unwatch();
  stream_ = nullptr;
}

/// Says the end of the connection and reads what the peer still sends, within bounds: a close
/// with unread bytes would reset the connection and could take the last answer with it.
Task<> Connection::linger() {
  boost::system::error_code error;
  socket_.shutdown(Socket::shutdown_send, error);
  timed_out_ = false;
  set_deadline(Phase::lingering, linger_for);
  std::size_t thrown_away = 0;
  while (!error && thrown_away < linger_bytes_max) {
    in_.clear();
    const bool more = co_await read_more();
    if (!more) break;
    thrown_away += in_.size();
  }
  socket_.close(error);
}

}  // namespace millrace::http
