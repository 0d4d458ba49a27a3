#include "producer/openai/response_routes.h"

#include "producer/ingress/request_headers.h"
#include "producer/openai/chat_failure.h"
#include "producer/openai/error_shape.h"
#include "producer/openai/response_fold.h"
#include "producer/openai/response_params.h"
#include "producer/openai/stored_items.h"

namespace millrace::openai {
namespace {

Refusal not_in_background() {
  return refuse("not_cancellable", "",
                "Cannot cancel a synchronous response: only one made with \"background\": true.");
}

/// The whole list of what comes behind `after`, in the order that is wanted.
std::string item_list(const JobId& job, const InputItems& items, const ItemPage& page) {
  std::string data;
  std::string first;
  std::string last;
  std::size_t listed = 0;
  bool behind = page.after.empty();
  bool more = false;
  for (std::size_t i = 0; i < items.size() && !more; ++i) {
    const std::size_t place = page.newest_first ? items.size() - 1 - i : i;
    const std::string name = input_item_name(job, place, items[place]);
    if (!behind) {
      behind = name == page.after;
      continue;
    }
    more = listed == page.limit;
    if (more) break;
    if (listed++ == 0) first = name;
    last = name;
    data.append(data.empty() ? "" : ",").append(input_item_json(job, place, items[place]));
  }
  const auto quoted_name = [](const std::string& name) {
    return name.empty() ? std::string("null") : "\"" + name + "\"";
  };
  return R"({"object":"list","data":[)" + data + R"(],"first_id":)" + quoted_name(first) +
         R"(,"last_id":)" + quoted_name(last) + R"(,"has_more":)" + (more ? "true}" : "false}");
}

bool has_item(const JobId& job, const InputItems& items, const std::string& name) {
  const auto known = parse_item_name(name);
  return known && known->place < items.size() &&
         input_item_name(job, known->place, items[known->place]) == name;
}

}  // namespace

void ResponseRoutes::add_to(http::Router& router) {
  router.add(http::Method::post, "/v1/responses",
             [this](http::Request& request) { return create(request); });
  router.add(http::Method::get, "/v1/responses/{id}",
             [this](http::Request& request) { return retrieve(request); });
  router.add(http::Method::del, "/v1/responses/{id}",
             [this](http::Request& request) { return remove(request); });
  router.add(http::Method::post, "/v1/responses/{id}/cancel",
             [this](http::Request& request) { return cancel(request); });
  router.add(http::Method::get, "/v1/responses/{id}/input_items",
             [this](http::Request& request) { return input_items(request); });
}

http::Response ResponseRoutes::refused(const Refusal& refusal) const {
  parts_.metrics.refused(refusal.problem.code);
  http::Response response = error_response(refusal);
  return response;
}

// --- made

Task<http::Response> ResponseRoutes::create(http::Request& request) {
  auto key = heard_key(request);
  if (!key) co_return refused(key.error());
  auto asked = parse_response_request(request.body, parts_.clock.wall());
  if (!asked) co_return refused(Refusal{std::move(asked.error()), {}, {}});
  asked->job.tenant = request.tenant;
  const bool keyed = !key->empty();
  auto print = keyed ? fingerprint(request.body) : std::string();
  std::string().swap(request.body);  // while the job waits, its input is held once
  const auto incomplete = co_await kept_.complete(request.tenant, *asked);
  if (incomplete) co_return refused(*incomplete);

  Job& job = asked->job;
  job.traceparent = traceparent(request);
  auto head = response_head(job);
  Response response{
      .head = std::move(*head),
      .job = {.tenant = request.tenant, .id = {}, .keyed = keyed, .on_leave = asked->on_leave}};
  if (asked->background) response.job.on_leave = OnLeave::go_on;
  const auto submitted =
      co_await answering_.submit(std::move(job), std::move(*key), std::move(print));
  if (!submitted) co_return error_response(submitted.error());
  response.head.id = response.job.id = submitted->id;
  response.head.created_at = submitted->created_at;
  response.job.attached = submitted->attached;
  if (asked->stream) co_return co_await streamed(request, std::move(response));
  if (!asked->background) co_return co_await whole(request, std::move(response));

  StoredJob accepted;
  accepted.state = submitted->state;
  http::Response answer;
  answer.body = response_json(response.head, accepted);
  describe(answer, response.job);
  co_return answer;
}

Task<http::Response> ResponseRoutes::whole(http::Request& request, Response response) {
  auto job = co_await answering_.ended_job(request, response.job);
  http::Response answer;
  if (!job)
    answer = std::move(job.error());
  else if (job->state == JobState::succeeded)
    answer.body = response_json(response.head, *job);
  else
    answer = failed(failure_of(*job->outcome));
  describe(answer, response.job);
  co_return answer;
}

Task<http::Response> ResponseRoutes::streamed(http::Request& request, Response response) {
  Signal own(parts_.clock);
  Signal& wake = request.asker ? request.asker->watch() : own;
  auto seat = co_await answering_.seat_of(response.job.id, request.asker, wake);
  http::Response answer;
  if (seat) {
    auto fold = std::make_unique<ResponseFold>(std::move(response.head));
    auto reading = std::make_shared<Reading>(parts_.hub, std::move(seat), std::move(fold));
    answer.content_type = "text/event-stream";
    answer.stream = [this, reading, job = response.job](http::StreamWriter& writer) {
      return stream(reading, job, writer);
    };
  } else {
    answering_.left(response.job);
    answer = unreadable(unknown_yet(), response.job.keyed);
  }
  describe(answer, response.job);
  co_return answer;
}

/// `awaited`: its job ends with a client that leaves.
Task<> ResponseRoutes::stream(std::shared_ptr<Reading> reading, std::optional<AwaitedJob> awaited,
                              http::StreamWriter& writer) {
  co_await answering_.stream_to_end(*reading, writer);
  const bool left = !reading->fold().job_ended() && !writer.draining();
  if (left && awaited) answering_.left(*awaited);
}

// --- looked at again

Task<http::Response> ResponseRoutes::retrieve(http::Request& request) {
  const auto params = parse_retrieve_params(request);
  if (!params) co_return refused(params.error());
  const auto found = co_await kept_.find(request.tenant, request.params.at(0));
  if (!found) co_return error_response(found.error());
  http::Response answer;
  if (params->stream) {
    auto seat = co_await parts_.hub.open(found->row.id, 0);
    if (!seat) co_return error_response(log_away());
    answer = streamed_again(std::move(*seat), found->head, params->starting_after);
  } else {
    answer.body = response_json(found->head, found->row);
  }
  co_return answer;
}

http::Response ResponseRoutes::streamed_again(std::unique_ptr<relay::Seat> seat, ResponseHead head,
                                              std::optional<Seq> starting_after) {
  auto fold = std::make_unique<ResponseFold>(std::move(head), starting_after);
  auto reading = std::make_shared<Reading>(parts_.hub, std::move(seat), std::move(fold));
  http::Response answer;
  answer.content_type = "text/event-stream";
  answer.stream = [this, reading](http::StreamWriter& writer) {
    return stream(reading, std::nullopt, writer);
  };
  return answer;
}

Task<http::Response> ResponseRoutes::input_items(http::Request& request) {
  const auto page = parse_item_page(request);
  if (!page) co_return refused(page.error());
  const auto found = co_await kept_.find(request.tenant, request.params.at(0));
  if (!found) co_return error_response(found.error());
  const auto items = co_await kept_.input_of(found->job);
  if (!items) co_return error_response(items.error());
  if (!page->after.empty() && !has_item(found->job.id, *items, page->after))
    co_return error_response(refuse("invalid_parameter", "after",
                                    "`after` is " + millrace::quoted(page->after) +
                                        "; it must be the id of an input item of this response."));
  http::Response answer;
  answer.body = item_list(found->job.id, *items, *page);
  co_return answer;
}

// --- ended and deleted

Task<http::Response> ResponseRoutes::cancel(http::Request& request) {
  if (const auto refusal = unheard(request)) co_return refused(*refusal);
  if (const auto refusal = not_json(request)) co_return refused(*refusal);
  const auto found = co_await kept_.find(request.tenant, request.params.at(0));
  if (!found) co_return error_response(found.error());
  if (!found->head.background) co_return error_response(not_in_background());
  http::Response answer;
  if (terminal(found->row.state)) {
    answer.body = response_json(found->head, found->row);
    co_return answer;
  }
  const auto ended = co_await parts_.cancel.cancel(request.tenant, found->row.id);
  if (!ended) co_return error_response(ended.error());
  answer.body = response_json(found->head, *ended);
  co_return answer;
}

Task<http::Response> ResponseRoutes::remove(http::Request& request) {
  if (const auto refusal = unheard(request)) co_return refused(*refusal);
  auto found = co_await kept_.find(request.tenant, request.params.at(0));
  if (!found) co_return error_response(found.error());
  const std::string name = response_id(found->row.id);
  if (!terminal(found->row.state)) {
    auto ended = co_await parts_.cancel.cancel(request.tenant, found->row.id);
    if (!ended) co_return error_response(ended.error());
    found->row = std::move(*ended);
  }
  const auto kept = co_await parts_.eraser.erase(std::move(found->row));
  if (kept) co_return error_response(*kept);
  http::Response answer;
  answer.body = R"({"id":")" + name + R"(","object":"response","deleted":true})";
  co_return answer;
}

}  // namespace millrace::openai
