#include "producer/relay/relay_routes.h"

#include <algorithm>
#include <charconv>
#include <expected>
#include <utility>
#include <variant>

#include "producer/relay/cursor.h"
#include "producer/relay/event_pages.h"
#include "producer/relay/job_stream.h"
#include "producer/relay/many_jobs_stream.h"
#include "producer/relay/relay_problems.h"
#include "shared/http/one_meaning.h"

namespace millrace::relay {
namespace {

constexpr std::string_view last_event_id = "Last-Event-ID";
constexpr std::string_view seq_allowed = "the id of an event of this job: a number from 0 to 2^53";
constexpr std::string_view cursor_allowed =
    "an id that this stream sent: job:seq pairs with commas between them, or 'end'";

/// Where the reader says it stands: the header, else the parameter, else nowhere. Both must be
/// places: a browser that comes back sends the parameter it began with, too.
template <class Place>
std::expected<std::optional<Place>, http::Response> asked_place(
    const http::Request& request, std::optional<Place> (*parse)(std::string_view),
    std::string_view allowed) {
  std::optional<Place> place;
  if (const auto after = request.query_param("after")) {
    place = parse(*after);
    if (!place) return std::unexpected(not_a_place("after", *after, allowed));
  }
  const auto header = request.header("last-event-id");
  if (header.empty()) return place;
  place = parse(header);
  if (!place) return std::unexpected(not_a_place(last_event_id, header, allowed));
  return place;
}

bool wants_page(const http::Request& request) {
  return request.accepts("application/json") && !request.accepts("text/event-stream");
}

/// What of this request would be dropped in silence.
std::optional<http::Response> unheard(const http::Request& request,
                                      std::initializer_list<std::string_view> parameters) {
  auto found = http::header_given_twice(request, {last_event_id});
  if (!found) found = http::unheard_parameter(request, parameters);
  if (!found) return std::nullopt;
  return bad_parameter(found->name, found->detail);
}

std::optional<http::Response> unheard_of_job(const http::Request& request) {
  if (wants_page(request)) return unheard(request, {"after", "limit", "signature", "expires"});
  return unheard(request, {"after", "snapshot", "signature", "expires"});
}

http::Response stream_response(http::StreamBody stream) {
  http::Response response;
  response.content_type = "text/event-stream";
  response.stream = std::move(stream);
  return response;
}

http::Response failed(Errc error, std::string_view id) {
  return error == Errc::not_found ? no_such_job(id) : log_away();
}

std::optional<std::size_t> page_limit(const http::Request& request) {
  const auto text = request.query_param("limit");
  if (!text) return limits::log_page_events;
  std::size_t limit = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), limit);
  const bool whole = error == std::errc() && end == text->data() + text->size();
  if (!whole || limit == 0 || limit > limits::log_page_events) return std::nullopt;
  return limit;
}

/// The jobs of `?jobs=`, each once; the text of the first that is no job id.
std::variant<std::vector<JobId>, std::string> job_list(std::string_view text) {
  std::vector<JobId> ids;
  while (!text.empty()) {
    const auto end = std::min(text.find(','), text.size());
    const auto id = JobId::parse(text.substr(0, end));
    if (!id) return std::string(text.substr(0, end));
    if (std::ranges::find(ids, *id) == ids.end()) ids.push_back(*id);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return ids;
}

/// Where to go on in each job: from the beginning without a cursor; a job that a cursor does
/// not name has ended in the reader's view. Nothing when it names a job that is not listed.
std::optional<Cursor> places(const std::vector<JobId>& ids, const std::optional<Cursor>& cursor) {
  Cursor found;
  if (!cursor) {
    for (const auto& id : ids) found.emplace_back(id, 0);
    return found;
  }
  for (const auto& [id, seq] : *cursor) {
    if (std::ranges::find(ids, id) == ids.end()) return std::nullopt;
    found.emplace_back(id, seq);
  }
  return found;
}

}  // namespace

void RelayRoutes::add_to(http::Router& router) {
  router.add(http::Method::get, "/v1/jobs/{id}/events",
             [this](http::Request& request) { return job_events(request); });
  router.add(http::Method::get, "/v1/events",
             [this](http::Request& request) { return jobs_events(request); });
  router.add(http::Method::get, "/v1/sessions/{id}/events",
             [this](http::Request& request) { return session_events(request); });
}

std::expected<Readable, Problem> RelayRoutes::readable(const http::Request& request,
                                                       const JobId& id) const {
  const auto signature = request.query_param("signature");
  if (!signature) return Readable(request.tenant);
  const auto expires = request.query_param("expires").value_or("");
  switch (urls_.verify(id, expires, *signature, hub_.clock().wall())) {
    case SignedUrls::Verdict::good:
      return Readable();
    case SignedUrls::Verdict::expired:
      return std::unexpected(expired_signature(id.str()));
    case SignedUrls::Verdict::bad:
      break;
  }
  return std::unexpected(bad_signature(id.str()));
}

Task<http::Response> RelayRoutes::job_events(http::Request& request) {
  const auto id = JobId::parse(request.params.at(0));
  if (!id) co_return not_a_job_id("id", request.params[0]);
  if (auto refusal = unheard_of_job(request)) co_return std::move(*refusal);
  const auto may = readable(request, *id);
  if (!may) co_return http::to_response(may.error());
  auto asked = asked_place(request, parse_seq, seq_allowed);
  if (!asked) co_return std::move(asked.error());
  const Seq after = asked->value_or(0);
  if (wants_page(request)) {
    const auto limit = page_limit(request);
    if (!limit) {
      co_return bad_parameter(
          "limit", "allowed is a number from 1 to " + std::to_string(limits::log_page_events));
    }
    co_return co_await job_event_page(*id, after, *limit, *may);
  }
  const auto snapshot = request.query_param("snapshot").value_or("0");
  if (snapshot != "0" && snapshot != "1")
    co_return bad_parameter("snapshot", "allowed are 0 and 1");
  auto seat = co_await hub_.open(*id, after);
  if (!seat) co_return failed(seat.error(), request.params[0]);
  if (!may->covers((*seat)->tenant())) co_return no_such_job(request.params[0]);
  if ((*seat)->past_end()) co_return nothing_left();
  const auto backlog = snapshot == "1" ? Backlog::snapshot : Backlog::events;
  co_return stream_response(job_stream(hub_, std::move(*seat), backlog));
}

Task<http::Response> RelayRoutes::job_event_page(JobId id, Seq after, std::size_t limit,
                                                 Readable readable) {
  auto page = co_await read_event_page(hub_, id, after, limit, std::move(readable));
  if (!page) co_return failed(page.error(), id.str());
  http::Response response;
  response.body = std::move(*page);
  response.headers.emplace_back("Cache-Control", "no-store");
  co_return response;
}

Task<http::Response> RelayRoutes::jobs_events(http::Request& request) {
  if (wants_page(request)) co_return only_streamed();
  if (auto refusal = unheard(request, {"jobs", "after"})) co_return std::move(*refusal);
  const auto list = job_list(request.query_param("jobs").value_or(""));
  if (const auto* wrong = std::get_if<std::string>(&list)) co_return not_a_job_id("jobs", *wrong);
  const auto& ids = std::get<std::vector<JobId>>(list);
  if (ids.empty() || ids.size() > limits::jobs_per_stream_max) {
    co_return bad_parameter("jobs", "allowed are 1 to " +
                                        std::to_string(limits::jobs_per_stream_max) +
                                        " job ids with commas between them");
  }
  auto asked = asked_place(request, parse_cursor, cursor_allowed);
  if (!asked) co_return std::move(asked.error());
  const auto wanted = places(ids, *asked);
  if (!wanted) {
    const bool by_header = !request.header("last-event-id").empty();
    co_return bad_parameter(by_header ? last_event_id : "after",
                            "it names a job that is not in 'jobs'; allowed is a cursor over the "
                            "jobs in 'jobs'");
  }
  auto seats = std::make_shared<Seats>();
  for (const auto& [id, after] : *wanted) seats->push_back(hub_.sit(id, after));
  bool all_past_end = true;
  for (const auto& seat : *seats) {
    const auto opened = co_await hub_.opened(*seat);
    if (!opened) co_return failed(opened.error(), seat->id().str());
    if (seat->tenant() != request.tenant) co_return no_such_job(seat->id().str());
    all_past_end = all_past_end && seat->past_end();
  }
  if (all_past_end) co_return nothing_left();
  co_return stream_response(jobs_stream(hub_, std::move(seats)));
}

Task<http::Response> RelayRoutes::session_events(http::Request& request) {
  if (wants_page(request)) co_return only_streamed();
  if (auto refusal = unheard(request, {"after"})) co_return std::move(*refusal);
  const auto& session = request.params.at(0);
  if (session.size() > limits::name_bytes_max) {
    co_return bad_parameter(
        "session", "allowed are at most " + std::to_string(limits::name_bytes_max) + " bytes");
  }
  auto asked = asked_place(request, parse_cursor, cursor_allowed);
  if (!asked) co_return std::move(asked.error());
  const auto cursor = asked->value_or(Cursor{});
  co_return stream_response(session_stream(hub_, request.tenant, session, cursor));
}

http::StreamBody RelayRoutes::open_stream(const JobId& id, Seq after) const {
  return new_job_stream(hub_, id, after);
}

std::string RelayRoutes::sign_stream_url(const JobId& id) const {
  return urls_.sign(id, hub_.clock().wall());
}

Task<bool> RelayRoutes::wait_for_end(JobId id, Instant deadline) const {
  return hub_.wait_for_end(id, deadline);
}

}  // namespace millrace::relay
