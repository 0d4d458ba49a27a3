#pragma once
#include <functional>
#include <string>

#include "producer/ingress/cancel.h"
#include "producer/ingress/job_lookup.h"
#include "producer/ingress/submit.h"
#include "shared/http/router.h"
#include "shared/outbound/guard.h"

namespace millrace {

/// The stream of a job's events after `after`, as the relay writes it.
using OpenStream = std::function<http::StreamBody(const JobId&, Seq after)>;
/// The path of that stream with a signature, for clients that cannot send headers.
using SignStreamUrl = std::function<std::string(const JobId&)>;

/// The native Jobs routes: `POST /v1/jobs`, `GET /v1/jobs`, `GET /v1/jobs/{id}`,
/// `POST /v1/jobs/{id}/cancel`. One a loop; outlives the server that uses its router.
class JobsRoutes {
 public:
  struct Parts {
    Submit& submit;
    JobLookup& lookup;
    Cancel& cancel;
    Store& store;
    ObjectStore& objects;
    Clock& clock;
    IngressMetrics& metrics;
    OpenStream open_stream;
    SignStreamUrl sign_stream_url;
    const outbound::Guard& guard = outbound::Guard::public_only();  ///< of webhooks
  };
  explicit JobsRoutes(Parts parts) : parts_(std::move(parts)) {}
  JobsRoutes(const JobsRoutes&) = delete;
  JobsRoutes& operator=(const JobsRoutes&) = delete;

  void add_to(http::Router& router);

 private:
  Task<http::Response> post_job(http::Request& request);
  Task<http::Response> get_job(http::Request& request);
  Task<http::Response> list_jobs(http::Request& request);
  Task<http::Response> cancel_job(http::Request& request);

  Task<> look_at_overdue(std::vector<StoredJob> jobs);
  http::Response answer_lines(http::Request& request, std::string key);
  Task<http::Response> answer_when_ended(http::Request& request, Receipt receipt,
                                         std::chrono::seconds wait);
  http::Response accepted(const Receipt& receipt) const;
  http::Response streamed(const Receipt& receipt, Seq after) const;
  http::Response shown(const FoundJob& job) const;
  std::string input_link(const Job& job) const;
  http::Response refused(const Refusal& refusal) const;

  Parts parts_;
};

}  // namespace millrace
