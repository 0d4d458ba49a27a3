#include "shared/http/connection.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "shared/http/body_pace.h"
#include "shared/http/chunk_decoder.h"
#include "shared/http/exchange.h"
#include "shared/http/peer_watch.h"
#include "shared/http/percent.h"
#include "shared/http/server_problems.h"
#include "shared/runtime/log.h"

namespace millrace::http {
namespace {

/// What is read of the body of a request that is refused anyway, so that the connection lives on.
constexpr std::size_t refused_body_bytes_max = 64 * 1024;
/// What is read and thrown away before a connection is closed, so that the last answer is not
/// lost to a reset.
constexpr std::size_t linger_bytes_max = 16 * 1024 * 1024;

void log_failure(const std::exception_ptr& failure, const std::string& request_id) {
  try {
    std::rethrow_exception(failure);
  } catch (const StreamCut&) {
    // Wanted: the response ends without its last chunk.
  } catch (const std::exception& error) {
    log::error("request_failed", {{"request", request_id}, {"error", error.what()}});
  } catch (...) {
    log::error("request_failed", {{"request", request_id}, {"error", "not a std::exception"}});
  }
}

}  // namespace

/// Takes a connection out of the list however its coroutine ends.
struct Connection::Leaving {
  Connections& all;
  std::list<Connection>::iterator place;
  ~Leaving() {
    const bool awaited = place->context_.draining;
    all.open.erase(place);
    if (awaited) all.changed.notify();
  }
};

Connection::Connection(ServerContext& context, Connections& all, Socket socket, std::string peer)
    : context_(context), all_(all), wire_(context, std::move(socket)), peer_(std::move(peer)) {}

void Connection::drain() {
  if (stream_) stream_->wake().notify();
  if (idle_) wire_.cancel_waits();
}

// One frame for all of it: ten thousand streams wait here.
Task<> Connection::serve(std::list<Connection>::iterator place) {
  const Leaving leaving{all_, place};
  std::exception_ptr failure;
  auto then = Then::next;
  while (then == Then::next) {
    std::unique_ptr<Stream> stream;
    try {
      then = co_await exchange(stream);
      if (!stream) continue;
      wire_.forget_unread();
      stream_ = stream.get();
      co_await stream->open();
    } catch (...) {
      failure = std::current_exception();
    }
    stream_ = nullptr;
    const auto state = co_await asio::this_coro::cancellation_state;
    const bool stopped = state.cancelled() != asio::cancellation_type::none;
    if (failure && !stopped) log_failure(failure, stream ? stream->request_id() : "");
    if (!stream) co_return;
    // Stopped or not, the stream must let go of the socket before it goes.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await stream->let_go();
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    // One that is cut ends without its last chunk, so that nobody takes it for whole.
    if (failure || stopped || context_.over) co_return;
    const bool reusable = co_await stream->end();
    if (!reusable || context_.draining) then = Then::linger;
  }
  if (then == Then::linger) co_await linger();
}

Task<> Connection::turn_away(std::list<Connection>::iterator place) {
  const Leaving leaving{all_, place};
  Exchange now(context_);
  refuse(now, too_many_connections(context_.options.connections_max));
  now.parts.close = true;
  const auto then = co_await answer(now);
  if (then == Then::linger) co_await linger();
}

Task<Connection::Then> Connection::exchange(std::unique_ptr<Stream>& stream) {
  Exchange now(context_);
  const bool there = co_await receive(now);
  if (!there) co_return Then::close;
  if (now.passage.refused)
    now.response = std::move(*now.passage.refused);
  else if (now.problem)
    refuse(now, *now.problem);
  else
    co_await handle(now);
  for (auto& header : now.passage.headers) now.response.headers.push_back(std::move(header));
  if (now.response.stream && !now.is_head) {
    stream = streamed(now);
    co_return now.parts.close ? Then::linger : Then::next;
  }
  co_return co_await answer(now);
}

Task<std::optional<std::size_t>> Connection::read_head(std::optional<Problem>& problem) {
  const auto& times = context_.options.times;
  Instant deadline = context_.clock.now() + (first_ ? times.head : times.keep_alive);
  std::size_t scanned = 0;
  bool begun = false;
  bool skipped = false;
  for (;;) {
    // Old clients send one empty line behind a body (RFC 9112, 2.2).
    if (!skipped && wire_.unread().starts_with("\r\n")) {
      wire_.take(2);
      skipped = true;
    }
    if (!begun && !wire_.unread().empty()) {
      begun = true;
      deadline = context_.clock.now() + times.head;
    }
    const auto end = find_head_end(wire_.unread(), scanned, HeadLimits{});
    if (!end) {
      problem = end.error();
      co_return std::nullopt;
    }
    if (*end) co_return *end;
    if (!begun && context_.draining) {
      if (!first_) co_return std::nullopt;
      // It came in with the last of the backlog: its request is on the way.
      deadline = std::min(deadline, context_.clock.now() + times.linger);
    }
    idle_ = !begun;
    const auto more = co_await wire_.read_more(deadline);
    idle_ = false;
    if (more) continue;
    if (begun && more.error() == Errc::timed_out)
      problem = too_slow("head of a request", times.head);
    co_return std::nullopt;
  }
}

void Connection::begin(Exchange& now, const RequestHead& head) {
  now.take(head);
  now.request.peer = peer_;
  now.match = context_.router.find(head.method, head.raw_path);
  now.request.params = std::move(now.match.params);
  now.body_bytes_max = now.match.route_limits.body_bytes_max;
  auto path = percent_decoded(head.raw_path);
  const bool asks_options = head.method == Method::options;
  if (!path || !query_is_sound(head.query))
    now.problem = bad_path();
  else if (head.raw_path == "*")
    now.match.allow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
  else if (now.match.allow.empty() && !now.match.handler)
    now.problem = not_found(context_.router.patterns());
  else if (!now.match.handler && !asks_options)
    now.problem = wrong_method(now.match.allow);
  if (path) now.request.path = std::move(*path);
}

Task<bool> Connection::receive(Exchange& now) {
  now.parts.close = true;  // until it is known where the request ends
  const auto head_bytes = co_await read_head(now.problem);
  if (!head_bytes) co_return now.problem.has_value();
  first_ = false;
  const auto head = parse_head(wire_.unread().substr(0, *head_bytes), HeadLimits{});
  if (!head) {
    now.problem = head.error();
    co_return true;
  }
  begin(now, *head);
  const bool keep_alive = head->keep_alive;
  wire_.take(*head_bytes);  // `head` is void from here on
  if (auto* gate = context_.options.gate; gate && !now.problem && now.match.handler) {
    auto passage = co_await gate->enter(now.request, now.match.pattern);
    now.passage = std::move(passage);
  }
  if (now.has_body()) {
    const bool refused = now.problem || now.passage.refused;
    if (refused) now.body_bytes_max = refused_body_bytes_max;
    if (refused && (now.expects_continue || now.content_length > now.body_bytes_max))
      co_return true;  // its body is not asked for
    const bool read = co_await read_body(now);
    if (!read) co_return now.body_refused;
  }
  now.parts.close = !keep_alive;
  co_return true;
}

Task<bool> Connection::read_body(Exchange& now) {
  std::string& body = now.request.body;
  ChunkDecoder chunks(now.body_bytes_max);
  if (!now.chunked && now.content_length > now.body_bytes_max)
    co_return now.refuse_body(body_too_large(now.body_bytes_max));
  const auto length = static_cast<std::size_t>(now.content_length);
  const auto& times = context_.options.times;
  const BodyPace pace(times, context_.clock.now());
  std::size_t came = wire_.unread().size();  // chunks count with their framing
  bool asked = !now.expects_continue;
  for (;;) {
    if (now.chunked) {
      const auto used = chunks.feed(wire_.unread(), body);
      if (!used) co_return now.refuse_body(used.error());
      wire_.take(*used);
      if (chunks.done()) co_return true;
    } else {
      const auto piece = wire_.unread().substr(0, length - body.size());
      body.append(piece);
      wire_.take(piece.size());
      if (body.size() == length) co_return true;
    }
    if (!now.share.grow_to(body.size())) co_return now.refuse_body(bodies_full());
    if (!asked) {
      asked = true;
      const auto sent = co_await wire_.send({asio::buffer("HTTP/1.1 100 Continue\r\n\r\n", 25)});
      if (!sent) co_return false;
    }
    const std::size_t left = wire_.unread().size();
    const auto more = co_await wire_.read_more(pace.deadline(came, context_.clock.now()));
    if (more) {
      came += wire_.unread().size() - left;
      continue;
    }
    const bool drips = pace.too_slow_on_average(came, context_.clock.now());
    if (more.error() == Errc::timed_out)
      now.refuse_body(drips ? too_slow_a_body(times.body_grace, times.body_bytes_per_s_min)
                            : too_slow("next piece of the body", times.body_idle));
    co_return false;
  }
}

Task<> Connection::handle(Exchange& now) {
  if (!now.match.handler) {  // OPTIONS of a path that does not serve it itself
    now.response.status = 204;
    now.response.headers.emplace_back("Allow", now.match.allow);
    context_.cors.preflight(now.request, now.response);
    co_return;
  }
  std::exception_ptr failure;
  try {
    PeerWatch asker(wire_);
    now.request.asker = &asker;
    now.response = co_await (*now.match.handler)(now.request);
  } catch (...) {
    failure = std::current_exception();
  }
  now.request.asker = nullptr;
  if (!failure) co_return;
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) std::rethrow_exception(failure);
  log_failure(failure, now.request.request_id);
  now.response = context_.tell(internal_error(), now.raw_path);
}

void Connection::refuse(Exchange& now, const Problem& problem) {
  now.response = context_.tell(problem, now.raw_path);
  if (problem.status == 405) now.response.headers.emplace_back("Allow", now.match.allow);
  if (problem.status == 503) now.response.headers.emplace_back("Retry-After", "1");
}

std::string Connection::head_of(const Exchange& now, HeadParts::Body body) {
  auto parts = now.parts;
  parts.status = now.response.status;
  parts.request_id = now.request.request_id;
  parts.date = context_.date();
  parts.body = body;
  parts.body_bytes = now.response.stream_bytes.value_or(now.response.body.size());
  std::string head;
  head.reserve(512);
  append_head(head, parts, now.response);
  context_.count_answer(parts.status);
  return head;
}

HeadParts::Body Connection::framing_of_stream(const Exchange& now) {
  if (now.response.stream_bytes) return HeadParts::Body::sized;
  return now.parts.http_1_0 ? HeadParts::Body::until_close : HeadParts::Body::chunked;
}

std::unique_ptr<Stream> Connection::streamed(Exchange& now) {
  const auto bytes = now.response.stream_bytes;
  const bool chunked = !bytes && !now.parts.http_1_0;
  // What the client has sent beyond its request is not kept for the time of a stream.
  now.parts.close =
      now.parts.close || context_.draining || !(chunked || bytes) || !wire_.unread().empty();
  context_.cors.allow(now.request.header("origin"), now.response);
  auto head = head_of(now, framing_of_stream(now));
  head.shrink_to_fit();
  return std::make_unique<Stream>(wire_,
                                  Stream::Start{.head = std::move(head),
                                                .body = std::move(now.response.stream),
                                                .request_id = std::move(now.request.request_id),
                                                .bytes = bytes,
                                                .chunked = chunked,
                                                .keep_alive = !now.parts.close});
}

Task<Connection::Then> Connection::answer(Exchange& now) {
  now.parts.close = now.parts.close || context_.draining;
  context_.cors.allow(now.request.header("origin"), now.response);
  const bool bodiless = now.response.status == 204 || now.response.status == 304;
  auto framing = bodiless ? HeadParts::Body::none : HeadParts::Body::sized;
  if (now.response.stream) framing = framing_of_stream(now);  // HEAD of a stream
  const std::string head = head_of(now, framing);
  const bool with_body = !bodiless && !now.is_head;
  const auto body = with_body ? std::string_view(now.response.body) : std::string_view();
  const auto sent = co_await wire_.send({asio::buffer(head), asio::buffer(body), {}, {}});
  if (!sent) co_return Then::close;
  co_return now.parts.close ? Then::linger : Then::next;
}

Task<> Connection::linger() {
  wire_.shut_down();
  const Instant deadline = context_.clock.now() + context_.options.times.linger;
  std::size_t thrown_away = wire_.unread().size();
  while (thrown_away < linger_bytes_max) {
    wire_.forget_unread();
    const auto more = co_await wire_.read_more(deadline);
    if (!more) co_return;
    thrown_away += wire_.unread().size();
  }
}

}  // namespace millrace::http
