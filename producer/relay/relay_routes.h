#pragma once
#include <expected>
#include <string>

#include "producer/relay/event_pages.h"
#include "producer/relay/hub.h"
#include "producer/relay/signed_url.h"
#include "shared/http/router.h"

namespace millrace::relay {

/// The HTTP face of one loop's hub, and what ingress asks of it.
///
///   GET /v1/jobs/{id}/events          SSE, or a JSON page with `Accept: application/json`
///   GET /v1/events?jobs=a,b,c         SSE of several jobs
///   GET /v1/sessions/{id}/events      SSE of a session's live jobs
///
/// A place to go on from is `Last-Event-ID`, else `?after=`. Who asks for several jobs as JSON is
/// answered 406; who asks for another tenant's job, 404 as for one that nobody knows; a parameter
/// that is not known here, or said twice, 400. Hub and URLs outlive the routes, the routes outlive
/// the router's use.
class RelayRoutes {
 public:
  RelayRoutes(Hub& hub, const SignedUrls& urls) : hub_(hub), urls_(urls) {}

  void add_to(http::Router& router);

  /// The stream that answers a `POST /v1/jobs` with `Accept: text/event-stream`.
  http::StreamBody open_stream(const JobId& id, Seq after) const;
  /// The `events` link of a 202.
  std::string sign_stream_url(const JobId& id) const;
  /// For `Prefer: wait`. True: the job has ended and the Store has its outcome.
  Task<bool> wait_for_end(JobId id, Instant deadline) const;

 private:
  Task<http::Response> job_events(http::Request& request);
  Task<http::Response> job_event_page(JobId id, Seq after, std::size_t limit, Readable readable);
  Task<http::Response> jobs_events(http::Request& request);
  Task<http::Response> session_events(http::Request& request);

  /// Whose job this request may read: its tenant's, or the one its signature was made for.
  std::expected<Readable, Problem> readable(const http::Request& request, const JobId& id) const;

  Hub& hub_;
  const SignedUrls& urls_;
};

}  // namespace millrace::relay
