#include "workers/llm/simulator.h"

#include <array>

#include "shared/runtime/json_text.h"

namespace millrace {
namespace {

constexpr std::size_t refusals_max = 1'000'000;
constexpr std::array<std::string_view, 4> listed_models{
    "default", "sim-50ms-200tok-10gap", "sim-20ms-30tok-5gap-cut12", "sim-50ms-50tok-20gap-429x2"};

http::Response json(std::string body) {
  http::Response response;
  response.body = std::move(body);
  return response;
}

http::Response refused(const SimRefusal& refusal) {
  auto response = json(to_json(refusal));
  response.status = refusal.status;
  return response;
}

/// What a server that has this fault says.
http::Response faulty(const SimModel& model) {
  SimRefusal refusal;
  refusal.status = model.status;
  switch (model.status) {
    case 400:
      refusal.message = "The simulator refuses this request, as its model name asks.";
      refusal.param = "model";
      break;
    case 401:
      refusal.message = "Incorrect API key provided, says the simulator, as its model name asks.";
      refusal.code = "invalid_api_key";
      break;
    case 429:
      refusal.message = "Rate limit reached (simulated). Try again in 1 s.";
      refusal.type = "rate_limit_error";
      refusal.code = "rate_limit_exceeded";
      break;
    default:
      refusal.message = model.status == 503 ? "The server is overloaded (simulated)."
                                            : "The server had an error (simulated).";
      refusal.type = "server_error";
  }
  auto response = refused(refusal);
  if (model.status == 429) response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace

void Simulator::add_to(http::Router& router) {
  router.add(http::Method::post, "/v1/chat/completions",
             [this](http::Request& request) { return complete(request); },
             {.body_bytes_max = limits::body_bytes_max + limits::model_text_bytes_max});
  router.add(http::Method::get, "/v1/models", [this](http::Request&) { return models(); });
  router.add(http::Method::get, "/sim/stats", [this](http::Request&) { return stats(); });
  router.add(http::Method::post, "/sim/reset", [this](http::Request&) { return reset(); });
}

/// True while this prompt or job has to be refused, and counts it.
bool Simulator::refuses(const SimModel& model, std::uint64_t whose) {
  if (model.fault != SimFault::status) return false;
  if (refusals_.size() >= refusals_max) refusals_.clear();
  auto& refused_so_far = refusals_[whose];
  if (refused_so_far >= model.times) return false;
  ++refused_so_far;
  return true;
}

Task<http::Response> Simulator::complete(http::Request& request) {
  const auto asked = read_sim_request(request.body);
  if (!asked) co_return refused(asked.error());
  const std::string job(request.header("x-millrace-job"));
  const SimAnswer answer(*asked);
  const auto whose = sim_hash(asked->model + '\n' + (job.empty() ? asked->prompt : job));
  if (refuses(answer.model(), whose)) {
    stats_.asked(job, 0);
    stats_.fault(fault_name(answer.model()));
    co_return faulty(answer.model());
  }
  std::string id = "chatcmpl-sim-";
  append_number(id, next_id_++);
  const auto created = std::chrono::floor<std::chrono::seconds>(clock_.wall());
  Run run{.answer = answer,
          .writer = SimWriter(id, created.time_since_epoch().count(), *asked),
          .began = clock_.now(),
          .job = job};
  // An endless answer is good for no number of tokens.
  stats_.asked(job, answer.model().fault == SimFault::endless ? 0 : answer.asked());
  http::Response response;
  if (asked->stream) {
    response.content_type = "text/event-stream";
    response.stream = [this, run = std::move(run)](http::StreamWriter& out) {
      return stream(run, out);
    };
  } else {
    // Streamed too, so that a client that leaves is noticed.
    response.status = run.answer.model().fault == SimFault::in_band ? 500 : 200;
    response.stream = [this, run = std::move(run)](http::StreamWriter& out) {
      return answer_whole(run, out);
    };
  }
  co_return response;
}

Task<http::Response> Simulator::models() {
  std::string body = R"({"object":"list","data":[)";
  for (const auto model : listed_models) {
    if (body.back() == '}') body += ',';
    body.append(R"({"id":")").append(model);
    body += R"(","object":"model","created":1767225600,"owned_by":"millrace-simulator"})";
  }
  co_return json(body += "]}");
}

Task<http::Response> Simulator::stats() {
  co_return json(stats_.json());
}

Task<http::Response> Simulator::reset() {
  stats_.reset();
  refusals_.clear();
  co_return json(R"({"reset":true})");
}

}  // namespace millrace
