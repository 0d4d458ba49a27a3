#include "producer/ingress/jobs_routes.h"

#include <algorithm>
#include <memory>

#include "producer/ingress/job_lines.h"
#include "producer/ingress/job_list.h"
#include "producer/ingress/job_request.h"
#include "producer/ingress/job_view.h"
#include "producer/ingress/request_headers.h"

namespace millrace {
namespace {

std::expected<JobId, Refusal> job_id(const http::Request& request) {
  const auto id = JobId::parse(request.params.front());
  if (id) return *id;
  return std::unexpected(refuse("invalid_parameter", "id",
                                "The job id " + quoted(request.params.front()) +
                                    " is not a UUID; take the `id` of the 202."));
}

Refusal empty_body() {
  return refuse("missing_field", "body",
                "The body is empty; send one job as a JSON object on each line.");
}

void describe(http::Response& response, const Receipt& receipt) {
  response.headers.emplace_back("Location", job_path(receipt.id));
  if (receipt.attached) response.headers.emplace_back("Idempotent-Replayed", "true");
}

/// The Store may lag about a job that runs by now; the log tells, where it is asked.
auto overdue_by(WallTime now) {
  return
      [now](const StoredJob& job) { return job.state == JobState::queued && job.deadline <= now; };
}

}  // namespace

void JobsRoutes::add_to(http::Router& router) {
  using http::Method;
  using http::Request;
  router.add(Method::post, "/v1/jobs", [this](Request& request) { return post_job(request); });
  router.add(Method::get, "/v1/jobs", [this](Request& request) { return list_jobs(request); });
  router.add(Method::get, "/v1/jobs/{id}", [this](Request& request) { return get_job(request); });
  router.add(Method::post, "/v1/jobs/{id}/cancel",
             [this](Request& request) { return cancel_job(request); });
}

Task<http::Response> JobsRoutes::post_job(http::Request& request) {
  if (const auto refusal = unheard(request)) co_return refused(*refusal);
  const auto form = body_form(request);
  if (!form) co_return refused(form.error());
  auto key = idempotency_key(request);
  if (!key) co_return refused(key.error());
  const auto after = last_event_id(request);
  if (!after) co_return refused(after.error());
  if (*form == BodyForm::job_lines) co_return answer_lines(request, std::move(*key));

  auto job = parse_job_request(request.body, parts_.clock.wall(), parts_.guard);
  if (!job) co_return refused(Refusal{std::move(job.error()), {}, {}});
  job->tenant = request.tenant;
  job->traceparent = traceparent(request);
  const auto print = key->empty() ? std::string() : fingerprint(request.body);
  std::string().swap(request.body);  // while the job waits, its input is held once
  Submitted submitted;
  if (key->empty())
    submitted = co_await parts_.submit.fresh(std::move(*job));
  else
    submitted = co_await parts_.submit.keyed(std::move(*job), std::move(*key), print);
  if (!submitted) co_return to_response(submitted.error());

  if (request.accepts("text/event-stream")) co_return streamed(*submitted, *after);
  const auto wait = preferred_wait(request);
  if (wait) co_return co_await answer_when_ended(request, std::move(*submitted), *wait);
  co_return accepted(*submitted);
}

Task<http::Response> JobsRoutes::get_job(http::Request& request) {
  if (const auto refusal = unheard(request)) co_return to_response(*refusal);
  const auto id = job_id(request);
  if (!id) co_return to_response(id.error());
  const auto job = co_await parts_.lookup.find(request.tenant, *id);
  co_return shown(job);
}

Task<http::Response> JobsRoutes::list_jobs(http::Request& request) {
  auto filter = parse_job_filter(request);
  if (!filter) co_return to_response(filter.error());
  const std::uint32_t limit = filter->limit;
  filter->tenant = request.tenant;
  filter->limit = limit + 1;  // whether there are more
  auto jobs = co_await parts_.store.list(*filter);
  const bool overdue = jobs && std::ranges::any_of(*jobs, overdue_by(parts_.clock.wall()));
  if (overdue) {
    co_await look_at_overdue(std::move(*jobs));
    jobs = co_await parts_.store.list(*filter);
  }
  if (!jobs && jobs.error() == Errc::not_found) co_return to_response(no_such_place(*filter));
  if (!jobs) co_return to_response(store_away());
  http::Response response;
  response.body = job_list_json(*jobs, limit, parts_.sign_stream_url);
  co_return response;
}

/// Looking at a queued job after its deadline ends it.
Task<> JobsRoutes::look_at_overdue(std::vector<StoredJob> jobs) {
  const auto overdue = overdue_by(parts_.clock.wall());
  for (const auto& job : jobs) {
    if (overdue(job)) (void)co_await parts_.lookup.find(job.tenant, job.id);
  }
}

Task<http::Response> JobsRoutes::cancel_job(http::Request& request) {
  if (const auto refusal = unheard(request)) co_return to_response(*refusal);
  if (const auto refusal = not_json(request)) co_return to_response(*refusal);
  const auto id = job_id(request);
  if (!id) co_return to_response(id.error());
  const auto job = co_await parts_.cancel.cancel(request.tenant, *id);
  co_return shown(job);
}

http::Response JobsRoutes::answer_lines(http::Request& request, std::string key) {
  if (request.body.find_first_not_of(" \t\r\n") == std::string::npos) return refused(empty_body());
  http::Response response;
  response.content_type = "application/x-ndjson";
  auto lines = std::make_shared<const JobLines>(JobLines{
      request.tenant, std::move(request.body), std::move(key), traceparent(request), parts_.guard});
  response.stream = [this, lines](http::StreamWriter& out) {
    return submit_lines(parts_.submit, parts_.clock, parts_.metrics, lines, out);
  };
  return response;
}

Task<http::Response> JobsRoutes::answer_when_ended(http::Request& request, Receipt receipt,
                                                   std::chrono::seconds wait) {
  const Instant deadline = parts_.clock.now() + wait;
  std::optional<Asker> asker;
  if (auto* peer = request.asker) asker.emplace(peer->watch(), [peer] { return peer->gone(); });
  const auto job = co_await parts_.lookup.find_ended(request.tenant, receipt.id, deadline,
                                                     asker ? &*asker : nullptr);
  if (job) receipt.state = job->state;
  const bool ended = job && terminal(job->state);
  http::Response response = ended ? shown(job) : accepted(receipt);
  if (ended) describe(response, receipt);
  response.headers.emplace_back("Preference-Applied", "wait=" + std::to_string(wait.count()));
  co_return response;
}

http::Response JobsRoutes::accepted(const Receipt& receipt) const {
  http::Response response;
  response.status = 202;
  response.body = receipt_json(receipt, parts_.sign_stream_url(receipt.id));
  describe(response, receipt);
  return response;
}

http::Response JobsRoutes::streamed(const Receipt& receipt, Seq after) const {
  http::Response response;
  response.content_type = "text/event-stream";
  describe(response, receipt);
  response.stream = parts_.open_stream(receipt.id, after);
  return response;
}

http::Response JobsRoutes::shown(const FoundJob& job) const {
  if (!job) return to_response(job.error());
  http::Response response;
  const Job accepted = job_of(*job);
  response.body = job_json(
      *job, &accepted, {.events = parts_.sign_stream_url(job->id), .input = input_link(accepted)});
  return response;
}

/// It ends with the other link of the same answer.
std::string JobsRoutes::input_link(const Job& job) const {
  if (!job.input_ref) return {};
  const auto until = parts_.clock.wall() + limits::stream_url_valid;
  return parts_.objects.presign({job.tenant, job.input_ref->key}, until).value_or("");
}

http::Response JobsRoutes::refused(const Refusal& refusal) const {
  parts_.metrics.refused(refusal.problem.code);
  return to_response(refusal);
}

}  // namespace millrace
